//! Characters as numerals.

use alloc::{string::String, vec::Vec};
use core::fmt;

use subtle::{ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::Error;

/// The characters that a text may have; their places are the numerals. Each look-up reads the
/// whole alphabet, so that neither time nor memory tell which character it was. How many bytes a
/// character has in UTF-8 does show, in the length of the text first of all: an alphabet of
/// characters of different lengths tells them apart by that.
///
/// ```
/// use gmkit_sm4::ff1::Alphabet;
///
/// assert_eq!(Alphabet::new("0123456789ABCDEF")?.radix(), 16);
/// assert!(Alphabet::new("0120").is_err());
/// # Ok::<(), gmkit_sm4::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Alphabet(Vec<u32>);

impl Alphabet {
    /// Takes 2 to 65,536 different characters.
    ///
    /// # Errors
    /// [`Error::Alphabet`] for another number, or when one is there twice.
    pub fn new(characters: &str) -> Result<Self, Error> {
        let characters: Vec<u32> = characters.chars().map(u32::from).collect();
        let mut sorted = characters.clone();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.len() != characters.len() || !(2..=1 << 16).contains(&characters.len()) {
            return Err(Error::Alphabet);
        }
        Ok(Self(characters))
    }

    /// The digits 0 to 9.
    #[must_use]
    pub fn digits() -> Self {
        Self(('0'..='9').map(u32::from).collect())
    }

    /// The number of characters.
    #[must_use]
    pub fn radix(&self) -> u32 {
        self.0.len() as u32
    }

    /// The numerals of a text.
    pub(super) fn numerals(&self, text: &str) -> Result<Zeroizing<Vec<u16>>, Error> {
        let mut numerals = Zeroizing::new(Vec::with_capacity(text.len()));
        let mut all_known = true;
        for c in text.chars() {
            let mut numeral = 0;
            let mut known = subtle::Choice::from(0);
            for (entry, i) in self.0.iter().zip(0..=u16::MAX) {
                let is_it = entry.ct_eq(&u32::from(c));
                numeral.conditional_assign(&i, is_it);
                known |= is_it;
            }
            all_known &= bool::from(known);
            numerals.push(numeral);
        }
        if all_known { Ok(numerals) } else { Err(Error::Numeral) }
    }

    /// The text of numerals, all of them below the radix.
    pub(super) fn text(&self, numerals: &[u16]) -> Zeroizing<String> {
        // Four bytes for each, so that nothing is moved and left behind.
        let mut text = Zeroizing::new(String::with_capacity(4 * numerals.len()));
        for numeral in numerals {
            let mut c = 0;
            for (entry, i) in self.0.iter().zip(0..=u16::MAX) {
                c.conditional_assign(entry, i.ct_eq(numeral));
            }
            text.extend(char::from_u32(c));
        }
        text
    }
}

impl fmt::Debug for Alphabet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Alphabet({} characters)", self.0.len())
    }
}
