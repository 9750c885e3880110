//! GCM behind the `aead` traits.

use core::{fmt, marker::PhantomData};

use aead::{
    AeadCore, AeadInOut, Error, Nonce, Tag, TagPosition,
    array::ArraySize,
    consts::{U12, U13, U14, U15, U16},
    inout::InOutBuf,
};
use cipher::{Key, KeyInit, KeySizeUser};

use super::Gcm;

/// Tag sizes GCM allows here: 12 to 16 bytes.
pub trait TagSize: ArraySize + sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! tag_sizes {
    ($($size:ty),*) => {$(
        impl sealed::Sealed for $size {}
        impl TagSize for $size {}
    )*};
}

tag_sizes!(U12, U13, U14, U15, U16);

/// [`Gcm`] with nonce and tag size in its type, for code written against the `aead` crate.
///
/// ```
/// use aead::{AeadInOut, KeyInit};
/// use gmkit_sm4::gcm::Sm4Gcm;
///
/// let gcm = <Sm4Gcm>::new(&[0x42; 16].into());
/// let mut data = *b"payload";
/// let tag = gcm.encrypt_inout_detached(&[0; 12].into(), b"aad", data.as_mut_slice().into())?;
/// gcm.decrypt_inout_detached(&[0; 12].into(), b"aad", data.as_mut_slice().into(), &tag)?;
/// assert_eq!(&data, b"payload");
/// # Ok::<(), aead::Error>(())
/// ```
#[derive(Clone)]
pub struct Sm4Gcm<NonceSize = U12, TagBytes = U16> {
    gcm: Gcm,
    sizes: PhantomData<(NonceSize, TagBytes)>,
}

impl<N, T> fmt::Debug for Sm4Gcm<N, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sm4Gcm { .. }")
    }
}

impl<N, T> KeySizeUser for Sm4Gcm<N, T> {
    type KeySize = U16;
}

impl<N, T> KeyInit for Sm4Gcm<N, T> {
    fn new(key: &Key<Self>) -> Self {
        Self { gcm: Gcm::new(&key.0), sizes: PhantomData }
    }
}

impl<N: ArraySize, T: TagSize> AeadCore for Sm4Gcm<N, T> {
    type NonceSize = N;
    type TagSize = T;
    const TAG_POSITION: TagPosition = TagPosition::Postfix;
}

impl<N: ArraySize, T: TagSize> AeadInOut for Sm4Gcm<N, T> {
    fn encrypt_inout_detached(
        &self,
        nonce: &Nonce<Self>,
        aad: &[u8],
        buffer: InOutBuf<'_, '_, u8>,
    ) -> Result<Tag<Self>, Error> {
        let tag = self.gcm.seal(nonce, aad, buffer.into_out_with_copied_in()).map_err(|_| Error)?;
        Tag::<Self>::try_from(&tag[..T::USIZE]).map_err(|_| Error)
    }

    fn decrypt_inout_detached(
        &self,
        nonce: &Nonce<Self>,
        aad: &[u8],
        buffer: InOutBuf<'_, '_, u8>,
        tag: &Tag<Self>,
    ) -> Result<(), Error> {
        self.gcm.open(nonce, aad, buffer.into_out_with_copied_in(), tag).map_err(|_| Error)
    }
}
