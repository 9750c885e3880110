//! What stands before the chunks of a sealed body, and what each of them is bound to.

use crate::Error;

/// The format, and its version.
const MAGIC: &[u8; 4] = b"GMS1";

/// The longest head, in bytes.
pub(crate) const LONGEST: usize = 4 + 8 + 16 + 3 * (1 + 255);

/// Before the chunks: in clear, and authentic with each of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// When it was sealed, in milliseconds since 1970, UTC.
    pub(crate) time: u64,
    /// Drawn at random; no two are the same.
    pub(crate) id: [u8; 16],
    /// The name of the key.
    pub(crate) key: String,
    /// `Content-Type` and `Content-Encoding` of what is sealed; empty for none.
    pub(crate) media_type: String,
    pub(crate) encoding: String,
}

impl Head {
    pub(crate) fn new(
        time: u64,
        key: &str,
        media_type: &str,
        encoding: &str,
    ) -> Result<Self, Error> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|_| Error::Key(gmkit_keys::Error::Rng))?;
        // The one other character that a header may have.
        let texts = [key, media_type, encoding].map(|text| text.replace('\t', " "));
        if texts.iter().any(|text| text.len() > 255 || !is_text(text)) {
            return Err(Error::Malformed("a media type that is none, or of more than 255 bytes"));
        }
        let [key, media_type, encoding] = texts;
        Ok(Self { time, id, key, media_type, encoding })
    }

    /// "GMS1" ‖ time, 8 bytes ‖ id, 16 ‖ key, media type and encoding, each behind a byte with its length.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = [&MAGIC[..], &self.time.to_be_bytes(), &self.id].concat();
        for text in [&self.key, &self.media_type, &self.encoding] {
            bytes.push(text.len() as u8);
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }

    /// The head with which these bytes begin, and how long it is; `None` if there is more to come.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Option<(Self, usize)>, Error> {
        let known = bytes.len().min(MAGIC.len());
        if bytes[..known] != MAGIC[..known] {
            return Err(Error::Malformed("it does not begin as one"));
        }
        let mut rest = bytes.get(4..).unwrap_or_default();
        let Some(time) = take(&mut rest) else { return Ok(None) };
        let Some(id) = take(&mut rest) else { return Ok(None) };
        let mut texts = [const { String::new() }; 3];
        for text in &mut texts {
            let Some([len]) = take(&mut rest) else { return Ok(None) };
            let Some((own, behind)) = rest.split_at_checked(usize::from(len)) else {
                return Ok(None);
            };
            let own = std::str::from_utf8(own).ok().filter(|own| is_text(own));
            *text = own.ok_or(Error::Malformed("a text in its head is none"))?.to_owned();
            rest = behind;
        }
        let [key, media_type, encoding] = texts;
        let head = Self { time: u64::from_be_bytes(time), id, key, media_type, encoding };
        Ok(Some((head, bytes.len() - rest.len())))
    }
}

fn is_text(text: &str) -> bool {
    text.bytes().all(|c| c == b' ' || c.is_ascii_graphic())
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (own, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*own)
}

/// What a body belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'t> {
    /// Whom it is for, as both sides have agreed on.
    pub(crate) audience: &'t str,
    pub(crate) method: &'t str,
    /// Path and query.
    pub(crate) target: &'t str,
    /// Of a response: its status, and the head of the request's body.
    pub(crate) answer: Option<(u16, &'t [u8])>,
}

impl Place<'_> {
    /// "gmkit seal 1" ‖ 0 or 1 for a request or a response ‖ audience, method, target, of a response status and request's
    /// head, and the own head, each behind its length in 4 bytes.
    pub(crate) fn context(&self, head: &[u8]) -> Vec<u8> {
        let mut context = b"gmkit seal 1".to_vec();
        context.push(u8::from(self.answer.is_some()));
        let mut add = |text: &[u8]| {
            context.extend_from_slice(&(text.len() as u32).to_be_bytes());
            context.extend_from_slice(text);
        };
        add(self.audience.as_bytes());
        add(self.method.as_bytes());
        add(self.target.as_bytes());
        if let Some((status, request)) = self.answer {
            add(status.to_string().as_bytes());
            add(request);
        }
        add(head);
        context
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn comes_back(time: u64, key in "[!-~]{1,64}", media_type in "[ -~]{0,255}", encoding in "[a-z]{0,9}", more: Vec<u8>) {
            let head = Head::new(time, &key, &media_type, &encoding).unwrap();
            let mut bytes = head.to_bytes();
            let len = bytes.len();
            prop_assert!(len <= LONGEST);
            for cut in 0..len {
                prop_assert_eq!(Head::from_bytes(&bytes[..cut]).unwrap(), None);
            }
            bytes.extend(more);
            prop_assert_eq!(Head::from_bytes(&bytes).unwrap(), Some((head, len)));
        }

        #[test]
        fn anything_else_is_refused(bytes: Vec<u8>) {
            let _ = Head::from_bytes(&bytes);
            let _ = Head::from_bytes(&[&MAGIC[..], &bytes].concat());
        }
    }

    /// No two places have the same context.
    #[test]
    fn contexts_differ() {
        let place = |method, target, answer| {
            Place { audience: "a", method, target, answer }.context(b"head")
        };
        let all = [
            place("GET", "/a", None),
            place("GET", "/b", None),
            place("PUT", "/a", None),
            place("GET/", "a", None),
            place("GET", "/a", Some((200, b"request"))),
            place("GET", "/a", Some((404, b"request"))),
            place("GET", "/a", Some((200, b"other"))),
            Place { audience: "a", method: "GET", target: "/a", answer: None }.context(b"heads"),
            Place { audience: "b", method: "GET", target: "/a", answer: None }.context(b"head"),
        ];
        for (n, context) in all.iter().enumerate() {
            assert!(!all[..n].contains(context), "{n}");
        }
    }
}
