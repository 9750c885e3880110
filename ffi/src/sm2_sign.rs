//! SM2 signing.

use std::sync::Arc;

use self_cell::self_cell;
use toolkit::{
    keys::{PrivateKey, SigningContext},
    sm2::{DerSignature, Id, Signature},
};

use crate::{
    export::export,
    fault::Fault,
    handle::handles,
    pointer::{In, Len, Out, Output, Owned, Ref, RefMut, Slot},
    private_key::gmkit_private_key,
};

/// Signature as SEQUENCE { r, s } in DER: what certificates, CMS, TLS and OpenSSL use.
pub const GMKIT_SIGNATURE_DER: u32 = 0;
/// Signature as r and s, 32 bytes each: what devices and some protocols use.
pub const GMKIT_SIGNATURE_RAW: u32 = 1;

/// Room that a signature of either form fits into, in bytes.
pub const GMKIT_SIGNATURE_MAX: usize = 72;

const _: () = assert!(GMKIT_SIGNATURE_MAX == DerSignature::MAX_LEN);

/// The two encodings of a signature.
#[derive(Clone, Copy)]
pub(crate) enum SignatureForm {
    Der,
    Raw,
}

impl SignatureForm {
    pub(crate) fn of(number: u32) -> Result<Self, Fault> {
        match number {
            GMKIT_SIGNATURE_DER => Ok(Self::Der),
            GMKIT_SIGNATURE_RAW => Ok(Self::Raw),
            _ => Err(Fault::argument("unknown form of a signature")),
        }
    }

    pub(crate) fn read(self, bytes: &[u8]) -> Result<Signature, Fault> {
        Ok(match self {
            Self::Der => Signature::from_der(bytes)?,
            Self::Raw => Signature::from_raw(bytes)?,
        })
    }

    pub(crate) fn write(self, signature: &Signature, out: Output<'_>) -> Result<(), Fault> {
        match self {
            Self::Der => out.write(signature.to_der().as_bytes()),
            Self::Raw => out.write(&signature.to_raw()),
        }
    }

    pub(crate) const fn most(self) -> usize {
        match self {
            Self::Der => GMKIT_SIGNATURE_MAX,
            Self::Raw => 64,
        }
    }
}

/// The ID that an argument names: NULL is the default one, a length of zero the empty one.
pub(crate) fn read_id(id: &In, len: usize) -> Result<Id<'_>, Fault> {
    match id.optional(len)? {
        None => Ok(Id::DEFAULT),
        Some(bytes) => Ok(Id::new(bytes)?),
    }
}

type Context<'k> = Option<Box<dyn SigningContext + 'k>>;

self_cell! {
    /// A signature under way together with the key it borrows from.
    pub struct Signing {
        owner: Arc<dyn PrivateKey>,
        #[not_covariant]
        dependent: Context,
    }
}

handles! {
    /// A message being signed in pieces. Not for two threads at the same time.
    struct gmkit_sm2_signer(Signing);
}

export! {
    /// Signs a message in one call (GB/T 32918.2-2016). `form` is GMKIT_SIGNATURE_DER or
    /// GMKIT_SIGNATURE_RAW; `out` needs room for 72 or 64 bytes.
    ///
    /// `id` is the signer's distinguishing ID, at most 8191 bytes: NULL with length 0 takes the
    /// default, "1234567812345678", which nearly everyone uses; any other pointer with length 0
    /// is the empty ID.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT, GMKIT_ERR_BUFFER_TOO_SMALL, GMKIT_ERR_RANDOM.
    fn gmkit_sm2_sign(
        key: Ref<gmkit_private_key>,
        id: In,
        id_len: usize,
        message: In,
        message_len: usize,
        form: u32,
        out: Out,
        out_len: Len,
    ) {
        let (key, id) = (key.get()?.key(), read_id(&id, id_len)?);
        let (message, form) = (message.bytes(message_len)?, SignatureForm::of(form)?);
        let Some(out) = Output::new(&mut out, &out_len, form.most())? else {
            return Ok(());
        };
        form.write(&key.sign(id, message)?, out)
    }

    /// Starts to sign a message in pieces, with `id` as in `gmkit_sm2_sign`. The key may be freed
    /// before the signer. Free the signer with `gmkit_sm2_signer_free`.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT, GMKIT_ERR_UNSUPPORTED.
    fn gmkit_sm2_signer_new(
        key: Ref<gmkit_private_key>,
        id: In,
        id_len: usize,
        signer: Slot<gmkit_sm2_signer>,
    ) {
        let (key, id) = (Arc::clone(key.get()?.key()), read_id(&id, id_len)?);
        let signing = Signing::try_new(key, |key| key.start_signing(id).map(Some));
        signer.put(signing?)
    }

    /// Adds the next piece of the message.
    ///
    /// Errors: GMKIT_ERR_FINISHED.
    fn gmkit_sm2_signer_update(
        signer: RefMut<gmkit_sm2_signer>,
        piece: In,
        piece_len: usize,
    ) {
        let piece = piece.bytes(piece_len)?;
        signer.with(|signer| {
            signer.with_dependent_mut(|_, context| {
                let context = context.as_mut().ok_or_else(Fault::finished)?;
                Ok(context.update(piece)?)
            })
        })
    }

    /// Signs what has come in and ends the message. `form`, `out` as in `gmkit_sm2_sign`.
    ///
    /// Errors: as `gmkit_sm2_sign`, and GMKIT_ERR_FINISHED.
    fn gmkit_sm2_signer_finish(
        signer: RefMut<gmkit_sm2_signer>,
        form: u32,
        out: Out,
        out_len: Len,
    ) {
        let form = SignatureForm::of(form)?;
        signer.with(|signer| {
            signer.with_dependent_mut(|_, context| {
                if context.is_none() {
                    return Err(Fault::finished());
                }
                let Some(out) = Output::new(&mut out, &out_len, form.most())? else {
                    return Ok(());
                };
                let context = context.take().ok_or_else(Fault::finished)?;
                form.write(&context.finish()?, out)
            })
        })
    }

    /// Wipes and frees, also in the middle of a message. NULL is allowed.
    fn gmkit_sm2_signer_free(signer: Owned<gmkit_sm2_signer>) = void {
        signer.free();
    }
}
