//! Protobuf messages, rewritten by their descriptors.
//!
//! What is not masked keeps its bytes, also fields that the descriptors do not know.

mod descriptors;
mod message;
mod unknown;
mod wire;

pub use descriptors::Descriptors;
pub(crate) use message::Names;

use self::message::Masking;
use crate::{Error, Policy};

/// Masks a message of a type, by its full name.
///
/// Rules are for the names of fields, as in the JSON of the message: a list has elements, the names in a map are
/// members, a `google.protobuf.Value` and its relatives stand for what is in them. What becomes nothing is not there
/// any more; in a list it is empty. There is no room for a mask in a number: it is not there any more, in a list it is
/// zero, and where it is generalised, the least number of its range.
///
/// Fields that the descriptors do not know stay, as they are. If one has personal data in it that the detectors find, the
/// message is refused, as is a `google.protobuf.Any` of an unknown type under a policy with rules. Bytes are looked into
/// where they are a text in UTF-8.
///
/// ```no_run
/// use gmkit_mask::{Descriptors, Policy, protobuf};
///
/// let descriptors = Descriptors::decode(&std::fs::read("bank.pb")?)?;
/// let message = std::fs::read("account.bin")?;
/// let masked = protobuf(&Policy::new(), &descriptors, "bank.v1.Account", &message)?;
/// # drop(masked);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Malformed`], [`Error::Limit`], [`Error::Key`]; [`Error::Policy`] for a type that the descriptors do not know.
pub fn protobuf(
    policy: &Policy,
    descriptors: &Descriptors,
    message: &str,
    body: &[u8],
) -> Result<Vec<u8>, Error> {
    let Some(message) = descriptors.find(message) else {
        let reason = format!("there is no message {message} in the descriptors");
        return Err(Error::Policy { line: 0, column: 0, reason });
    };
    masked(policy, descriptors, &mut Names::new(), message, body)
}

/// The same with names that were read before.
pub(crate) fn masked(
    policy: &Policy,
    descriptors: &Descriptors,
    names: &mut Names,
    message: usize,
    body: &[u8],
) -> Result<Vec<u8>, Error> {
    Masking::new(policy, descriptors, names).whole(message, body)
}
