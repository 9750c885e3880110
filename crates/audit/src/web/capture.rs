//! A body as it passes: its beginning, its digest and its length.

use gmkit_sm3::Sm3;
use gmkit_sm3::digest::Digest;

use crate::Attribute;

pub(super) struct Capture {
    digest: Sm3,
    bytes: u64,
    begin: Vec<u8>,
    longest: usize,
}

impl Capture {
    pub(super) fn new(longest: usize) -> Self {
        Self { digest: Sm3::new(), bytes: 0, begin: Vec::new(), longest }
    }

    pub(super) fn update(&mut self, data: &[u8]) {
        self.digest.update(data);
        self.bytes += data.len() as u64;
        let room = self.longest - self.begin.len();
        self.begin.extend_from_slice(&data[..room.min(data.len())]);
    }

    /// What is recorded of it: the text, if it is one that is short enough.
    pub(super) fn attribute(self) -> Attribute {
        match String::from_utf8(self.begin) {
            Ok(text) if text.len() as u64 == self.bytes => Attribute::Text(text),
            _ => {
                let sm3 = hex::encode(self.digest.finalize());
                Attribute::Digest { sm3, bytes: self.bytes }
            }
        }
    }
}
