//! Who must agree on what. A peer that stops to answer would otherwise only empty its cell.

use super::Cell;
use crate::names::*;

/// The peers that must agree with each operation, in so many rounds at least: some take only a part
/// of the inputs.
const LEAST: usize = 3;
const COMPARED: &[(&str, &[&str])] = &[
    (
        "SM3",
        &[OPENSSL4, TONGSUO, GMSSL, OPENSSL3, TONGSUOPY, SM_CRYPTO, GMSSL_PY, BOTAN, RUSTCRYPTO],
    ),
    ("HMAC-SM3", &[OPENSSL4, TONGSUO, GMSSL, OPENSSL3, SM_CRYPTO]),
    ("SM2 KDF", &[OPENSSL4, TONGSUO, GMSSL, GMSSL_PY]),
    ("HKDF-SM3", &[OPENSSL4, TONGSUO, GMSSL, OPENSSL3]),
    ("PBKDF2-SM3", &[OPENSSL4, TONGSUO, GMSSL, OPENSSL3]),
    ("TLS 1.2 PRF", &[OPENSSL4, TONGSUO]),
    ("TLS 1.3 label", &[OPENSSL4, TONGSUO]),
    ("SM4-ECB", &[OPENSSL4, TONGSUO, GMSSL, OPENSSL3, TONGSUOPY, SM_CRYPTO]),
    ("SM4-CBC", &[OPENSSL4, TONGSUO, GMSSL, OPENSSL3, TONGSUOPY, SM_CRYPTO, GMSSL_PY, RUSTCRYPTO]),
    ("SM4-CTR", &[OPENSSL4, TONGSUO, GMSSL, OPENSSL3, TONGSUOPY, RUSTCRYPTO]),
    ("SM4-CFB", &[OPENSSL4, TONGSUO, OPENSSL3, TONGSUOPY]),
    ("SM4-OFB", &[OPENSSL4, TONGSUO, OPENSSL3, TONGSUOPY]),
    ("SM4-XTS (GB)", &[OPENSSL4, TONGSUO]),
    ("SM4-XTS (IEEE)", &[OPENSSL4, TONGSUO]),
    ("SM4-HCTR", &[]),
    ("SM4-BC", &[]),
    ("SM4-OFBNLF", &[]),
    ("SM4-GCM", &[OPENSSL4, TONGSUO, GMSSL, TONGSUOPY]),
    ("SM4-GMAC", &[OPENSSL4, TONGSUO]),
    ("SM4-CCM", &[OPENSSL4, TONGSUO, TONGSUOPY]),
    ("SM4-GCM-SIV", &[]),
    ("SM4-CMAC", &[OPENSSL4, TONGSUO, OPENSSL3]),
    ("SM4 key wrap", &[RUSTCRYPTO]),
    ("SM4-FF1", &[RUSTCRYPTO]),
    (
        "SM2 signature",
        &[OPENSSL4, TONGSUO, GMSSL, OPENSSL3, TONGSUOPY, SM_CRYPTO, GMSSL_PY, RUSTCRYPTO],
    ),
    ("SM2 own key", &[BOTAN]),
    ("SM2 encryption", &[OPENSSL4, TONGSUO, GMSSL, OPENSSL3, SM_CRYPTO, GMSSL_PY, RUSTCRYPTO]),
    ("SM2 exchange", &[TONGSUO]),
    ("SM2 envelope", &[OPENSSL4, TONGSUO, GMSSL, OPENSSL3, SM_CRYPTO]),
];

/// What stands for a peer where there is none.
const INSTEAD: &[(&str, &str)] = &[
    ("SM4-HCTR", "the values that another implementation publishes are vectors"),
    ("SM4-BC", "the values that another implementation publishes are vectors"),
    ("SM4-OFBNLF", "the values that another implementation publishes are vectors"),
    ("SM4-GCM-SIV", "a construction of its own; the reference in Python"),
];

/// Fails when a cell is empty that must not be, or the other way round.
pub(crate) fn as_expected(peers: &[&str], rows: &[(&str, Vec<Cell>)]) -> Result<(), String> {
    let wanted = COMPARED.iter().flat_map(|(_, expected)| *expected);
    if let Some(missing) = wanted.into_iter().find(|name| !peers.contains(name)) {
        return Err(format!("{missing} is no peer any more"));
    }
    for (operation, row) in rows {
        let expected = COMPARED.iter().find(|(name, _)| name == operation);
        let (_, expected) = expected.ok_or_else(|| format!("{operation} is expected of nobody"))?;
        for (peer, cell) in peers.iter().zip(row) {
            let agreed = if let Cell::Agreed(rounds) = cell { *rounds } else { 0 };
            match (agreed >= LEAST, expected.contains(peer)) {
                (false, true) => return Err(format!("{operation} was not compared with {peer}")),
                (true, false) => return Err(format!("{operation} is compared with {peer} by now")),
                _ => {}
            }
        }
        if expected.is_empty() {
            let instead = INSTEAD.iter().find(|(name, _)| name == operation);
            let (_, instead) = instead.ok_or_else(|| format!("{operation}: nothing instead"))?;
            println!("{operation}: no peer; instead {instead}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_became_empty_is_noticed() {
        let row = |cell| [("TLS 1.2 PRF", vec![Cell::Agreed(20), cell])];
        let all =
            [OPENSSL4, TONGSUO, GMSSL, OPENSSL3, TONGSUOPY, SM_CRYPTO, GMSSL_PY, BOTAN, RUSTCRYPTO];
        assert!(as_expected(&all, &row(Cell::Agreed(3))).is_ok());
        assert!(as_expected(&all, &row(Cell::Agreed(2))).is_err());
        assert!(as_expected(&all, &row(Cell::Empty("gone".into()))).is_err());
        let mut other = all;
        other.swap(1, 7);
        assert!(as_expected(&other, &row(Cell::Agreed(20))).is_err());
        assert!(as_expected(&all[..8], &row(Cell::Agreed(20))).is_err());
        assert!(as_expected(&all, &[("unheard of", vec![])]).is_err());
    }
}
