//! What is compared, and how: our output with the peer's, and each side's output given to the
//! other. Refusals are compared too: a changed tag, signature or ciphertext must be refused by both.

mod expected;
mod sm2;
mod sm3;
mod sm4;

pub(crate) use expected::as_expected;

use crate::{
    draw::Draw,
    peer::{self, Answer, Peer, Word},
};

/// Rounds per cell.
const ROUNDS: usize = 20;

pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// One round: `Ok(Some(reason))` when the peer cannot do it.
    round: fn(&mut Asking<'_>, &mut Draw) -> Result<Step, String>,
}

/// What came of a round.
pub(crate) type Step = Option<String>;

/// A cell of the matrix.
pub(crate) enum Cell {
    /// So many rounds agreed.
    Agreed(usize),
    /// Why there is nothing to compare.
    Empty(String),
}

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation { name: "SM3", round: sm3::digest },
    Operation { name: "HMAC-SM3", round: sm3::hmac },
    Operation { name: "SM2 KDF", round: sm3::kdf },
    Operation { name: "HKDF-SM3", round: sm3::hkdf },
    Operation { name: "PBKDF2-SM3", round: sm3::pbkdf2 },
    Operation { name: "TLS 1.2 PRF", round: sm3::tls12_prf },
    Operation { name: "TLS 1.3 label", round: sm3::tls13_label },
    Operation { name: "SM4-ECB", round: sm4::ecb },
    Operation { name: "SM4-CBC", round: sm4::cbc },
    Operation { name: "SM4-CTR", round: sm4::ctr },
    Operation { name: "SM4-CFB", round: sm4::cfb },
    Operation { name: "SM4-OFB", round: sm4::ofb },
    Operation { name: "SM4-XTS (GB)", round: sm4::xts_gb },
    Operation { name: "SM4-XTS (IEEE)", round: sm4::xts_ieee },
    Operation { name: "SM4-HCTR", round: sm4::hctr },
    Operation { name: "SM4-BC", round: sm4::bc },
    Operation { name: "SM4-OFBNLF", round: sm4::ofbnlf },
    Operation { name: "SM4-GCM", round: sm4::gcm },
    Operation { name: "SM4-GMAC", round: sm4::gmac },
    Operation { name: "SM4-CCM", round: sm4::ccm },
    Operation { name: "SM4-GCM-SIV", round: sm4::gcm_siv },
    Operation { name: "SM4-CMAC", round: sm4::cmac },
    Operation { name: "SM4 key wrap", round: sm4::wrap },
    Operation { name: "SM4-FF1", round: sm4::ff1 },
    Operation { name: "SM2 signature", round: sm2::signature },
    Operation { name: "SM2 own key", round: sm2::own_key },
    Operation { name: "SM2 encryption", round: sm2::encryption },
    Operation { name: "SM2 exchange", round: sm2::exchange },
    Operation { name: "SM2 envelope", round: sm2::envelope },
];

impl Operation {
    /// All rounds. Inputs that the peer does not take are passed over, if it takes others.
    pub(crate) fn run(
        &self,
        name: &'static str,
        peer: &mut dyn Peer,
        draw: &mut Draw,
    ) -> Result<Cell, String> {
        let mut agreed = 0;
        let mut reason = None;
        for round in 0..ROUNDS {
            let mut asking = Asking { name, peer, last: String::new() };
            let step = (self.round)(&mut asking, draw);
            let last = std::mem::take(&mut asking.last);
            match step.map_err(|error| format!("round {round}: {error}\n  {last}"))? {
                None => agreed += 1,
                Some(why) => reason = reason.or(Some(why)),
            }
        }
        match (agreed, reason) {
            (0, Some(reason)) => Ok(Cell::Empty(reason)),
            (agreed, _) => Ok(Cell::Agreed(agreed)),
        }
    }
}

/// A peer, with the last request for error messages.
pub(crate) struct Asking<'p> {
    name: &'static str,
    peer: &'p mut dyn Peer,
    last: String,
}

impl Asking<'_> {
    fn ask(&mut self, request: &[Word<'_>]) -> Result<Answer, String> {
        self.last = peer::line(request);
        self.peer.ask(request)
    }

    /// Expects exactly `want`. `Some(reason)` when the peer cannot.
    fn expect(&mut self, request: &[Word<'_>], want: &[&[u8]]) -> Result<Step, String> {
        match self.ask(request)? {
            Answer::Unsupported(reason) => Ok(Some(reason)),
            Answer::Ok(results) if results == want => Ok(None),
            other => {
                let want: Vec<_> = want.iter().map(hex::encode).collect();
                Err(format!("{other} instead of {}", want.join(" ")))
            }
        }
    }

    /// Expects a refusal.
    fn expect_refusal(&mut self, request: &[Word<'_>]) -> Result<(), String> {
        match self.ask(request)? {
            Answer::Refused => Ok(()),
            other => Err(format!("{other} instead of a refusal")),
        }
    }

    /// Takes what the peer gives; `Err(Ok(reason))` when it cannot.
    fn get(&mut self, request: &[Word<'_>]) -> Result<Result<Vec<Vec<u8>>, String>, String> {
        match self.ask(request)? {
            Answer::Unsupported(reason) => Ok(Err(reason)),
            Answer::Ok(results) => Ok(Ok(results)),
            Answer::Refused => Err("refused".to_owned()),
        }
    }
}

/// Makes the words of a request.
macro_rules! words {
    ($name:literal $(, $word:expr)*) => {
        &[crate::peer::Word::Name($name) $(, crate::operations::IntoWord::word(&$word))*]
    };
}
use words;

/// What can stand in a request.
pub(crate) trait IntoWord {
    fn word(&self) -> Word<'_>;
}

impl IntoWord for str {
    fn word(&self) -> Word<'_> {
        Word::Name(self)
    }
}

impl IntoWord for usize {
    fn word(&self) -> Word<'_> {
        Word::Number(*self)
    }
}

impl IntoWord for [u8] {
    fn word(&self) -> Word<'_> {
        Word::Bytes(self)
    }
}

impl IntoWord for Vec<u8> {
    fn word(&self) -> Word<'_> {
        Word::Bytes(self)
    }
}

impl<const N: usize> IntoWord for [u8; N] {
    fn word(&self) -> Word<'_> {
        Word::Bytes(self)
    }
}

impl<T: IntoWord + ?Sized> IntoWord for &T {
    fn word(&self) -> Word<'_> {
        (**self).word()
    }
}
