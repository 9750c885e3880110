//! SM2 enveloped keys.

use toolkit::keys::EnvelopedKey;

use crate::{
    export::export,
    pointer::{In, Len, Out, Output, Ref, Slot},
    private_key::gmkit_private_key,
    public_key::gmkit_public_key,
};

/// Room that an enveloped key fits into, in bytes.
pub const GMKIT_ENVELOPE_MAX: usize = 256;

export! {
    /// Puts a private key into an envelope that only the owner of `recipient` can open: the SM2
    /// enveloped key of GB/T 35276-2017 in DER. `out` needs room for GMKIT_ENVELOPE_MAX bytes.
    /// Nothing in it says who has made it.
    ///
    /// Errors: GMKIT_ERR_BUFFER_TOO_SMALL, GMKIT_ERR_RANDOM, GMKIT_ERR_UNSUPPORTED.
    fn gmkit_envelope_seal(
        key: Ref<gmkit_private_key>,
        recipient: Ref<gmkit_public_key>,
        out: Out,
        out_len: Len,
    ) {
        let (key, recipient) = (key.get()?.exportable()?, recipient.get()?);
        let Some(out) = Output::new(&mut out, &out_len, GMKIT_ENVELOPE_MAX)? else {
            return Ok(());
        };
        out.write(&EnvelopedKey::seal(key, recipient)?.to_der()?)
    }

    /// Opens an envelope with the owner's private key. Free the key inside with
    /// `gmkit_private_key_free`.
    ///
    /// Errors: GMKIT_ERR_REJECTED when it is for somebody else, or has been changed; GMKIT_ERR_KEY
    /// when it is malformed; GMKIT_ERR_KEY_ENCRYPTION for another cipher, or a key of another size.
    fn gmkit_envelope_open(
        owner: Ref<gmkit_private_key>,
        envelope: In,
        envelope_len: usize,
        key: Slot<gmkit_private_key>,
    ) {
        let envelope = EnvelopedKey::from_der(envelope.bytes(envelope_len)?)?;
        key.check()?;
        key.put(envelope.open(&**owner.get()?.key())?.into())
    }
}
