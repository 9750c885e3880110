//! What a file is, and how it is masked.

use std::{path::Path, sync::Arc};

use gmkit::mask::{BodyStream, Descriptors, Error, Format, Policy, protobuf};

use crate::{
    args::{MaskFormat, MaskPolicy},
    failure::{Context, Failure},
    input::Input,
};

/// Largest descriptors and messages that are read, in bytes.
const MOST: usize = 64 << 20;

/// Masks what comes in pieces.
pub(super) enum Work {
    Body(BodyStream<Arc<Policy>>),
    Message(Message),
}

/// A message of protobuf, which is masked when all of it is there.
pub(super) struct Message {
    policy: Arc<Policy>,
    descriptors: Descriptors,
    name: String,
    held: Vec<u8>,
}

impl Work {
    /// For a file that is what was said, or what its name says.
    pub(super) fn new(args: &MaskPolicy, file: &Path, policy: Policy) -> Result<Self, Failure> {
        let policy = Arc::new(policy);
        match (args.format, &args.descriptors, &args.message) {
            (None | Some(MaskFormat::Protobuf), Some(descriptors), Some(name)) => {
                let set = Input::open(descriptors)?.read_all(MOST)?;
                let descriptors = Descriptors::decode(&set).about(descriptors)?;
                let (name, held) = (name.clone(), Vec::new());
                Ok(Self::Message(Message { policy, descriptors, name, held }))
            }
            (Some(MaskFormat::Protobuf), ..) | (_, Some(_), _) => Err(Failure::input(
                "a message of protobuf has --descriptors and --message, and no other --format",
            )),
            _ => {
                let format = format(args, file, &policy)?;
                Ok(Self::Body(BodyStream::new(policy, format)))
            }
        }
    }

    /// Whether it is masked as a text, which may stand on a terminal.
    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Body(_))
    }

    pub(super) fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
        match self {
            Self::Body(stream) => Ok(stream.push(piece, out)?),
            Self::Message(message) if message.held.len() + piece.len() > MOST => {
                Err(Failure::input("is longer than 64 MiB"))
            }
            Self::Message(message) => {
                message.held.extend_from_slice(piece);
                Ok(())
            }
        }
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        match self {
            Self::Body(stream) => Ok(stream.finish(out)?),
            Self::Message(message) => {
                let Message { policy, descriptors, name, held } = message;
                out.extend_from_slice(&protobuf(policy, descriptors, name, held)?);
                Ok(())
            }
        }
    }
}

/// A policy that would do nothing to a file is not taken for it.
fn format(args: &MaskPolicy, file: &Path, policy: &Policy) -> Result<Format, Failure> {
    let extension = file.extension().map(|extension| extension.to_ascii_lowercase());
    let format = match (args.format, extension.as_deref().and_then(|extension| extension.to_str()))
    {
        (Some(MaskFormat::Json), _) | (None, Some("json")) => Format::Json,
        (Some(MaskFormat::Ndjson), _) | (None, Some("ndjson" | "jsonl")) => Format::JsonLines,
        (Some(MaskFormat::Sse), _) => Format::Events,
        (Some(MaskFormat::Form), _) => Format::Form,
        (None, _) if policy.has_rules() => {
            return Err(Failure::input("the policy has rules, which are for JSON: say --format"));
        }
        _ => Format::Text,
    };
    if format == Format::Text && !policy.has_detectors() {
        return Err(Failure::input("the policy has no [detect], and would do nothing to a text"));
    }
    Ok(format)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Key(error) => error.into(),
            error => Self::input(crate::failure::chain(&error)),
        }
    }
}
