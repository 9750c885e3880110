//! What a token does without a key.

use zeroize::Zeroizing;

use crate::{Error, Token, raw::Call};

impl Token {
    /// Fills `out` from the device's random number generator.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn random(&self, out: &mut [u8]) -> Result<(), Error> {
        let len = u32::try_from(out.len());
        let len = len.map_err(|_| Error::Unsupported { operation: "give that many bytes" })?;
        let random = self.with_session(|session, _| {
            self.calls.count("random", 0, || {
                let random = session.generate_random_vec(len);
                // It may become a key.
                random.map(Zeroizing::new).map_err(Error::of("C_GenerateRandom"))
            })
        })?;
        if random.len() != out.len() {
            return Err(Error::answer("gives another number of random bytes"));
        }
        out.copy_from_slice(&random);
        Ok(())
    }

    /// SM3 (GB/T 32905) of `data`, computed by the device.
    ///
    /// # Errors
    /// [`Error::Device`]; [`Error::Unsupported`] where the profile has no number for it.
    pub fn sm3(&self, data: &[u8]) -> Result<[u8; 32], Error> {
        let sm3 = self.module().profile().sm3.as_ref();
        let code = sm3.ok_or(Error::Unsupported { operation: "hash with SM3 (by its profile)" })?;
        let digest = self.digest(code.digest, data)?;
        digest.try_into().map_err(|_| Error::answer("gives an SM3 digest of another length"))
    }

    pub(crate) fn digest(&self, code: u64, data: &[u8]) -> Result<Vec<u8>, Error> {
        self.with_session(|session, _| {
            let work = self.work(session, data);
            self.calls.count("digest", code, || {
                let digest = self.module().functions.digest(work, Call::bare(code))?;
                Ok(digest.to_vec())
            })
        })
    }
}
