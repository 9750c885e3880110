//! Making keys, and keys that come and go encrypted.

use cryptoki_sys::*;
use gmkit_keys::SysRng;
use gmkit_sm2::rand_core::TryRng;

use super::{Answer, Call};
use crate::{
    attributes::Attributes,
    mechanism::Mechanism,
    ops::{derive, generate, wrap},
    rv::{Result, Rv, ensure, fail},
};

impl Call<'_> {
    pub(crate) fn generate_key(
        &self,
        mechanism: &Mechanism,
        template: Attributes,
    ) -> Result<CK_OBJECT_HANDLE> {
        self.add(generate::secret(mechanism, template, self.is_officer()?)?)
    }

    /// Both or none: the public half goes again if the private one cannot be kept.
    pub(crate) fn generate_pair(
        &self,
        mechanism: &Mechanism,
        public: Attributes,
        private: Attributes,
    ) -> Result<(CK_OBJECT_HANDLE, CK_OBJECT_HANDLE)> {
        let (public, private) = generate::pair(mechanism, public, private, self.is_officer()?)?;
        {
            let state = self.slot.state()?;
            self.check_place(&state, &public)?;
            self.check_place(&state, &private)?;
        }
        let private = self.add(private)?;
        match self.add(public) {
            Ok(public) => Ok((public, private)),
            // Whatever comes of the destruction: the first error is the one to tell.
            Err(error) => self.destroy(private).and(Err(error)).or(Err(error)),
        }
    }

    pub(crate) fn wrap(
        &self,
        mechanism: &Mechanism,
        wrapping: CK_OBJECT_HANDLE,
        target: CK_OBJECT_HANDLE,
        room: Option<usize>,
    ) -> Result<Answer> {
        let wrapping =
            self.usable_key(wrapping, mechanism, (CKA_WRAP, CKF_WRAP)).map_err(in_wrap)?;
        let target = self.visible(target).or(fail(CKR_KEY_HANDLE_INVALID))?;
        let secret = matches!(target.attributes.class(), Some(CKO_SECRET_KEY | CKO_PRIVATE_KEY));
        ensure(secret, CKR_KEY_NOT_WRAPPABLE)?;
        ensure(target.attributes.flag(CKA_EXTRACTABLE), CKR_KEY_UNEXTRACTABLE)?;
        let trusted = wrapping.attributes.flag(CKA_TRUSTED);
        ensure(trusted || !target.attributes.flag(CKA_WRAP_WITH_TRUSTED), CKR_KEY_NOT_WRAPPABLE)?;
        let (wrapping, target) = (wrapping.key()?, target.key()?);
        let bound = wrap::bound(mechanism, &wrapping, &target)?;
        if let Some(answer) = Answer::without_room(bound, room) {
            return Ok(answer);
        }
        wrap::wrap(mechanism, &wrapping, &target).map(Answer::Bytes)
    }

    pub(crate) fn unwrap(
        &self,
        mechanism: &Mechanism,
        unwrapping: CK_OBJECT_HANDLE,
        wrapped: &[u8],
        template: Attributes,
    ) -> Result<CK_OBJECT_HANDLE> {
        let key =
            self.usable_key(unwrapping, mechanism, (CKA_UNWRAP, CKF_UNWRAP)).map_err(in_unwrap)?;
        // A use of the key is a use: one that always asks has no way to be asked here.
        ensure(!key.attributes.flag(CKA_ALWAYS_AUTHENTICATE), CKR_USER_NOT_LOGGED_IN)?;
        let officer = self.is_officer()?;
        self.add(wrap::unwrap(mechanism, &key.key()?, wrapped, template, officer)?)
    }

    pub(crate) fn derive(
        &self,
        mechanism: &Mechanism,
        base: CK_OBJECT_HANDLE,
        template: Attributes,
    ) -> Result<CK_OBJECT_HANDLE> {
        let base = self.usable_key(base, mechanism, (CKA_DERIVE, CKF_DERIVE))?;
        ensure(!base.attributes.flag(CKA_ALWAYS_AUTHENTICATE), CKR_USER_NOT_LOGGED_IN)?;
        let officer = self.is_officer()?;
        let key = derive::derive(mechanism, &*base.key()?, &base.attributes, template, officer)?;
        self.add(key)
    }

    pub(crate) fn random(&self, buffer: &mut [u8]) -> Result {
        SysRng.try_fill_bytes(buffer).map_err(|_| Rv(CKR_RANDOM_NO_RNG))
    }
}

/// The names that C_WrapKey and C_UnwrapKey have for a bad key.
fn in_wrap(error: Rv) -> Rv {
    match error {
        Rv(CKR_KEY_HANDLE_INVALID) => Rv(CKR_WRAPPING_KEY_HANDLE_INVALID),
        Rv(CKR_KEY_TYPE_INCONSISTENT) => Rv(CKR_WRAPPING_KEY_TYPE_INCONSISTENT),
        error => error,
    }
}

fn in_unwrap(error: Rv) -> Rv {
    match error {
        Rv(CKR_KEY_HANDLE_INVALID) => Rv(CKR_UNWRAPPING_KEY_HANDLE_INVALID),
        Rv(CKR_KEY_TYPE_INCONSISTENT) => Rv(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT),
        error => error,
    }
}
