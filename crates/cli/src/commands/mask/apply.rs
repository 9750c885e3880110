//! `gmkit mask apply`.

use std::sync::Arc;

use super::{BodyStream, format, policy};
use crate::{
    args::MaskApply,
    failure::{Context, Failure},
    input::Input,
    output::{Access, Content, Output},
};

pub(super) fn run(args: &MaskApply) -> Result<(), Failure> {
    let policy = Arc::new(policy(&args.policy)?);
    let format = format(&args.policy, &args.file, &policy)?;
    let mut stream = BodyStream::new(policy, format);
    let input = Input::open(&args.file)?;
    let mut output = Output::create(args.output.as_deref(), Content::Text, Access::Public)?;
    let mut masked = Vec::new();
    input.for_each(|piece| {
        stream.push(piece, &mut masked).about(&args.file)?;
        output.write(&masked)?;
        masked.clear();
        Ok(())
    })?;
    stream.finish(&mut masked).about(&args.file)?;
    output.write(&masked)?;
    output.commit()
}
