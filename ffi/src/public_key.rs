//! SM2 public keys.

use toolkit::{
    keys::{public_key_from_file_bytes, public_key_to_pem},
    sm2::{PublicKey, spki::EncodePublicKey},
};

use crate::{
    export::export,
    fault::{Fault, gmkit_error},
    handle::handles,
    pointer::{In, Len, Out, OutArray, Output, Owned, Ref, Slot},
    private_key::GMKIT_PEM_MAX,
};

/// Size of an uncompressed point, in bytes.
pub const GMKIT_POINT_SIZE: usize = 65;
/// Size of a compressed point, in bytes.
pub const GMKIT_COMPRESSED_POINT_SIZE: usize = 33;

handles! {
    /// An SM2 public key, checked to be on the curve. Any number of threads may use it at the same
    /// time.
    struct gmkit_public_key(PublicKey);
}

export! {
    /// Reads the content of a public key file: SubjectPublicKeyInfo in PEM or DER. Free the key
    /// with `gmkit_public_key_free`.
    ///
    /// Errors: GMKIT_ERR_KEY, GMKIT_ERR_ENCODING.
    fn gmkit_public_key_read(file: In, file_len: usize, key: Slot<gmkit_public_key>) {
        key.put(public_key_from_file_bytes(file.bytes(file_len)?)?)
    }

    /// Reads a point: 04, X, Y (65 bytes) or 02/03, X (33 bytes).
    ///
    /// Errors: GMKIT_ERR_ENCODING, also for a point that is not on the curve.
    fn gmkit_public_key_from_point(
        point: In,
        point_len: usize,
        key: Slot<gmkit_public_key>,
    ) {
        key.put(PublicKey::from_sec1_bytes(point.bytes(point_len)?)?)
    }

    /// Writes 04, X, Y: GMKIT_POINT_SIZE (65) bytes.
    fn gmkit_public_key_to_point(key: Ref<gmkit_public_key>, point: OutArray<GMKIT_POINT_SIZE>) {
        point.write(&key.get()?.to_sec1_bytes())
    }

    /// Writes 02 or 03 and X: GMKIT_COMPRESSED_POINT_SIZE (33) bytes.
    fn gmkit_public_key_to_compressed_point(key: Ref<gmkit_public_key>, point: OutArray<GMKIT_COMPRESSED_POINT_SIZE>) {
        point.write(&key.get()?.to_compressed_bytes())
    }

    /// Writes a SubjectPublicKeyInfo in DER. `out` needs room for GMKIT_PEM_MAX bytes.
    ///
    /// Errors: GMKIT_ERR_BUFFER_TOO_SMALL.
    fn gmkit_public_key_to_der(key: Ref<gmkit_public_key>, out: Out, out_len: Len) {
        let der = key.get()?.to_public_key_der().map_err(|_| {
            Fault::new(gmkit_error::GMKIT_ERR_INTERNAL, "a public key has 91 bytes of DER")
        })?;
        let Some(out) = Output::new(&mut out, &out_len, GMKIT_PEM_MAX)? else {
            return Ok(());
        };
        out.write(der.as_bytes())
    }

    /// Writes a SubjectPublicKeyInfo in PEM, without a NUL byte at its end. `out` needs room for
    /// GMKIT_PEM_MAX bytes.
    ///
    /// Errors: GMKIT_ERR_BUFFER_TOO_SMALL.
    fn gmkit_public_key_to_pem(key: Ref<gmkit_public_key>, out: Out, out_len: Len) {
        let key = key.get()?;
        let Some(out) = Output::new(&mut out, &out_len, GMKIT_PEM_MAX)? else {
            return Ok(());
        };
        out.write(public_key_to_pem(key).as_bytes())
    }

    /// Compares two keys.
    ///
    /// Errors: GMKIT_ERR_REJECTED when they differ.
    fn gmkit_public_key_equal(one: Ref<gmkit_public_key>, other: Ref<gmkit_public_key>) {
        if one.get()? == other.get()? {
            return Ok(());
        }
        Err(Fault::new(gmkit_error::GMKIT_ERR_REJECTED, "the public keys differ"))
    }

    /// Frees. NULL is allowed.
    fn gmkit_public_key_free(key: Owned<gmkit_public_key>) = void {
        key.free();
    }
}
