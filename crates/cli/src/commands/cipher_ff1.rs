//! `gmkit cipher -m ff1`: each line of a text becomes another line of the same alphabet and length.

use gmkit::sm4::ff1::{Alphabet, Ff1};
use zeroize::Zeroizing;

use super::parse_hex;
use crate::{
    args::Cipher,
    failure::Failure,
    input::Input,
    output::{Access, Content, Output},
};

/// Longest text.
const MAX_TEXT: usize = 16 << 20;

/// Works with a key of 16 bytes.
pub(crate) fn run(args: &Cipher, key: &[u8]) -> Result<(), Failure> {
    let key = key.try_into().expect("16 bytes, checked by the caller");
    let bad = |error: gmkit::sm4::Error| Failure::input(error.to_string());
    let reason =
        "--alphabet needs two or more characters, none of them twice, no control characters";
    let alphabet = match Alphabet::new(&args.alphabet) {
        // A line's end in the middle of a line would not come back.
        Ok(alphabet) if !args.alphabet.contains(char::is_control) => alphabet,
        _ => return Err(Failure::input(reason)),
    };
    let ff1 = Ff1::new(key, alphabet.radix()).map_err(bad)?;
    let tweak = parse_hex("iv", args.iv.as_deref().unwrap_or_default())?;
    let content = Input::open(&args.file)?.read_all(MAX_TEXT)?;
    let about =
        |place: String, failure| Failure::about(format!("{}{place}", args.file.display()), failure);
    let text = std::str::from_utf8(&content)
        .map_err(|_| about(String::new(), Failure::input("is not UTF-8")))?;

    let access = if args.encrypt { Access::Public } else { Access::Secret };
    let mut output = Output::create(args.output.as_deref(), Content::Text, access)?;
    for (line, number) in text.split_inclusive('\n').zip(1..) {
        let end = ["\r\n", "\n"].into_iter().find(|end| line.ends_with(end)).unwrap_or_default();
        let value = &line[..line.len() - end.len()];
        let done = match args.encrypt {
            // An empty line has nothing to hide.
            _ if value.is_empty() => Ok(Zeroizing::default()),
            true => ff1.encrypt_text(&alphabet, &tweak, value),
            false => ff1.decrypt_text(&alphabet, &tweak, value),
        };
        let done = done.map_err(|error| about(format!(", line {number}"), bad(error)))?;
        output.write(done.as_bytes())?;
        output.write(end.as_bytes())?;
    }
    output.commit()
}
