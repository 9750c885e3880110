//! `gmkit mask apply`.

use super::{policy, work::Work};
use crate::{
    args::MaskApply,
    failure::{Context, Failure},
    input::Input,
    output::{Access, Content, Output},
};

pub(super) fn run(args: &MaskApply) -> Result<(), Failure> {
    let mut work = Work::new(&args.policy, &args.file, policy(&args.policy)?)?;
    let input = Input::open(&args.file)?;
    let content = if work.is_text() { Content::Text } else { Content::Binary };
    let mut output = Output::create(args.output.as_deref(), content, Access::Public)?;
    let mut masked = Vec::new();
    input.for_each(|piece| {
        work.push(piece, &mut masked).about(&args.file)?;
        output.write(&masked)?;
        masked.clear();
        Ok(())
    })?;
    work.finish(&mut masked).about(&args.file)?;
    output.write(&masked)?;
    output.commit()
}
