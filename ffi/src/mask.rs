//! Personal data, masked.

use std::{
    io::{self, Write},
    sync::Arc,
};

use toolkit::{
    keys::{SoftwareFieldKey, SoftwareSecret},
    mask::{BodyStream, Error, Format, Keys, Kind, Policy, Style, mask},
};

use crate::{
    certificate::{give, text},
    export::export,
    fault::{Fault, gmkit_error},
    handle::handles,
    pointer::{In, Len, Out, Owned, Ref, RefMut, Slot},
    stream::{Context, Sink, Writer},
};

/// A key of 1 byte or more, for tokens: `{ token = "NAME" }`.
pub const GMKIT_MASK_TOKEN: u32 = 0;
/// A key of 16 bytes, that seals values: `{ seal = "NAME" }`.
pub const GMKIT_MASK_SEAL: u32 = 1;
/// A key of 16 bytes, that turns digits into others: `{ ff1 = "NAME" }`.
pub const GMKIT_MASK_FF1: u32 = 2;

/// One value of JSON.
pub const GMKIT_MASK_JSON: u32 = 0;
/// Lines of JSON.
pub const GMKIT_MASK_JSON_LINES: u32 = 1;
/// Text, line by line.
pub const GMKIT_MASK_TEXT: u32 = 2;
/// Events, as servers send them.
pub const GMKIT_MASK_EVENTS: u32 = 3;
/// Fields of a form.
pub const GMKIT_MASK_FORM: u32 = 4;

handles! {
    /// The keys that policies name. Not for two threads at the same time while it is filled.
    struct gmkit_mask_keys(Keys);
    /// What is masked, and how. Any number of threads may use it.
    struct gmkit_mask_policy(Arc<Policy>);
    /// A body that is masked as it comes. Not for two threads at the same time.
    struct gmkit_mask_stream(Option<BodyStream<Arc<Policy>>>);
}

fn format(number: u32) -> Result<Format, Fault> {
    match number {
        GMKIT_MASK_JSON => Ok(Format::Json),
        GMKIT_MASK_JSON_LINES => Ok(Format::JsonLines),
        GMKIT_MASK_TEXT => Ok(Format::Text),
        GMKIT_MASK_EVENTS => Ok(Format::Events),
        GMKIT_MASK_FORM => Ok(Format::Form),
        _ => Err(Fault::argument("unknown format of a body")),
    }
}

/// Masks, and has the caller take what is decided. The stream is over where either fails.
fn masked(
    stream: &mut Option<BodyStream<Arc<Policy>>>,
    mut sink: Sink<'_>,
    work: impl FnOnce(&mut BodyStream<Arc<Policy>>, &mut Vec<u8>) -> Result<(), Error>,
) -> Result<BodyStream<Arc<Policy>>, Fault> {
    let mut own = stream.take().ok_or_else(Fault::finished)?;
    let mut out = Vec::new();
    work(&mut own, &mut out)?;
    let failed = |error: io::Error| Fault::new(gmkit_error::GMKIT_ERR_IO, error.to_string());
    sink.write_all(&out).map_err(failed)?;
    Ok(own)
}

export! {
    /// Makes an empty list of keys. Free it with `gmkit_mask_keys_free`.
    fn gmkit_mask_keys_new(keys: Slot<gmkit_mask_keys>) {
        keys.put(Keys::new())
    }

    /// Adds a key under a name, in UTF-8. `use_` is GMKIT_MASK_TOKEN, GMKIT_MASK_SEAL or GMKIT_MASK_FF1.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT for a name that is not UTF-8, another use, or a key of another length.
    fn gmkit_mask_keys_put(
        keys: RefMut<gmkit_mask_keys>,
        name: In,
        name_len: usize,
        use_: u32,
        key: In,
        key_len: usize,
    ) {
        let name = text(name.bytes(name_len)?)?;
        let key = key.bytes(key_len)?;
        keys.with(|keys| {
            let with_field = |keys: Keys, key| keys.with_field(name, Arc::new(key));
            *keys = match use_ {
                GMKIT_MASK_TOKEN => {
                    let key = Arc::new(SoftwareSecret::hmac_sm3(key)?);
                    std::mem::take(keys).with_secret(name, key)
                }
                GMKIT_MASK_SEAL => {
                    let key = SoftwareFieldKey::sealing(key)?;
                    with_field(std::mem::take(keys), key)
                }
                GMKIT_MASK_FF1 => {
                    let key = SoftwareFieldKey::digits(key)?;
                    with_field(std::mem::take(keys), key)
                }
                _ => return Err(Fault::argument("unknown use of a key")),
            };
            Ok(())
        })
    }

    /// Frees. Policies that were made with it keep their keys. NULL is allowed.
    fn gmkit_mask_keys_free(keys: Owned<gmkit_mask_keys>) = void {
        keys.free();
    }

    /// Reads a policy from TOML, in UTF-8, without scopes. `keys` may be NULL for one that names none. Free it with
    /// `gmkit_mask_policy_free`.
    ///
    /// Errors: GMKIT_ERR_ENCODING for what is no policy, with line and column in the message; GMKIT_ERR_KEY when it
    /// names a key that is not there; GMKIT_ERR_UNSUPPORTED when one is for another use.
    fn gmkit_mask_policy_new(
        toml: In,
        toml_len: usize,
        keys: Ref<gmkit_mask_keys>,
        policy: Slot<gmkit_mask_policy>,
    ) {
        policy.check()?;
        let toml = text(toml.bytes(toml_len)?)?;
        let none = Keys::new();
        let keys = keys.optional()?.unwrap_or(&none);
        policy.put(Arc::new(Policy::from_toml(toml, keys)?))
    }

    /// Frees. Streams that were made with it go on. NULL is allowed.
    fn gmkit_mask_policy_free(policy: Owned<gmkit_mask_policy>) = void {
        policy.free();
    }

    /// Starts to mask a body. `format` is GMKIT_MASK_JSON or another of these. Free it with `gmkit_mask_stream_free`.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT for another format.
    fn gmkit_mask_stream_new(
        policy: Ref<gmkit_mask_policy>,
        format: u32,
        stream: Slot<gmkit_mask_stream>,
    ) {
        stream.put(Some(BodyStream::new(Arc::clone(policy.get()?), self::format(format)?)))
    }

    /// Takes the next piece, and has `write` take what is decided: nothing, or less or more than the piece. After an
    /// error nothing more comes, and what came is only the beginning of a body: it must not pass for a whole one.
    ///
    /// Errors: GMKIT_ERR_ENCODING for what is not in the format; GMKIT_ERR_TOO_LONG for what is longer, or nested deeper,
    /// than the policy lets pass; GMKIT_ERR_IO when `write` fails; what a key says; GMKIT_ERR_FINISHED after one of
    /// these, and after the end.
    fn gmkit_mask_stream_push(
        stream: RefMut<gmkit_mask_stream>,
        piece: In,
        len: usize,
        write: Writer,
        context: Context,
    ) {
        let (sink, piece) = (write.with(&context)?, piece.bytes(len)?);
        stream.with(|stream| {
            let own = masked(stream, sink, |own, out| own.push(piece, out))?;
            *stream = Some(own);
            Ok(())
        })
    }

    /// There is nothing more; `write` takes what is left.
    ///
    /// Errors: as for `gmkit_mask_stream_push`.
    fn gmkit_mask_stream_finish(
        stream: RefMut<gmkit_mask_stream>,
        write: Writer,
        context: Context,
    ) {
        let sink = write.with(&context)?;
        stream.with(|stream| masked(stream, sink, BodyStream::finish).map(drop))
    }

    /// Frees, also in the middle of a body. NULL is allowed.
    fn gmkit_mask_stream_free(stream: Owned<gmkit_mask_stream>) = void {
        stream.free();
    }

    /// Masks one value of a kind, as "mobile" or "cn_id", in UTF-8. `strict` other than 0 shows less than is usual. What
    /// does not look like its kind is hidden whole.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT for a kind that is none, or what is not UTF-8; GMKIT_ERR_BUFFER_TOO_SMALL.
    fn gmkit_mask_value(
        kind: In,
        kind_len: usize,
        strict: u32,
        value: In,
        value_len: usize,
        out: Out,
        out_len: Len,
    ) {
        let kind = Kind::from_name(text(kind.bytes(kind_len)?)?);
        let kind = kind.ok_or_else(|| Fault::argument("no kind of personal data"))?;
        let style = if strict == 0 { Style::Usual } else { Style::Strict };
        let masked = mask(kind, style, text(value.bytes(value_len)?)?);
        give(out, &out_len, masked.as_bytes()).map(drop)
    }
}
