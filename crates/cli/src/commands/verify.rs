//! `gmkit verify`: which kind of signature it is, it says itself.

use gmkit::keys::selftest::Algorithm;

use super::{tested, verify_cms, verify_der};
use crate::{args::Verify, failure::Failure, message};

pub(crate) fn run(args: &Verify) -> Result<(), Failure> {
    tested(Algorithm::Sm2Signature)?;
    let (is_cms, input) = message::recognized(&args.signature)?;
    if is_cms { verify_cms::run(args, input) } else { verify_der::run(args, input) }
}
