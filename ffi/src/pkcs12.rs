//! Keys with their certificates in one file.

use toolkit::{
    keys::Passphrase,
    pki::{Certificate, Pkcs12, read_cfca},
};

use crate::{
    certificate::give,
    export::export,
    pointer::{In, Len, Out, Slot},
    private_key::gmkit_private_key,
};

fn pem<'c>(chain: impl IntoIterator<Item = &'c Certificate>) -> String {
    chain.into_iter().map(Certificate::to_pem).collect()
}

export! {
    /// Reads a PKCS#12 file with one SM2 key: the key, and its certificates in PEM without a NUL byte, the
    /// key's first. The password is UTF-8. Free the key with `gmkit_private_key_free`. With a NULL `chain`
    /// only the room for the certificates is asked for, and no key is put out.
    ///
    /// Errors: GMKIT_ERR_ENCODING; GMKIT_ERR_KEY; GMKIT_ERR_PASSPHRASE_WRONG; GMKIT_ERR_KEY_ENCRYPTION for
    /// the ciphers of before 2017; GMKIT_ERR_BUFFER_TOO_SMALL.
    fn gmkit_pkcs12_read(
        file: In,
        file_len: usize,
        password: In,
        password_len: usize,
        key: Slot<gmkit_private_key>,
        chain: Out,
        chain_len: Len,
    ) {
        key.check()?;
        let password = Passphrase::new(password.bytes(password_len)?);
        let read = Pkcs12::read(file.bytes(file_len)?, &password)?;
        let text = pem(read.chain()?);
        if give(chain, &chain_len, text.as_bytes())? {
            key.put(read.into_key()?.into())?;
        }
        Ok(())
    }

    /// Reads a `.sm2` file of CFCA, in DER or base64, as `gmkit_pkcs12_read` does. Such files protect the
    /// key weakly: bring it elsewhere.
    ///
    /// Errors: as `gmkit_pkcs12_read`.
    fn gmkit_cfca_read(
        file: In,
        file_len: usize,
        password: In,
        password_len: usize,
        key: Slot<gmkit_private_key>,
        chain: Out,
        chain_len: Len,
    ) {
        key.check()?;
        let password = Passphrase::new(password.bytes(password_len)?);
        let (read, certificate) = read_cfca(file.bytes(file_len)?, &password)?;
        if give(chain, &chain_len, pem([&certificate]).as_bytes())? {
            key.put(read.into())?;
        }
        Ok(())
    }
}
