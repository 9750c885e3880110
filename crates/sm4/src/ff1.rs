//! FF1 (NIST SP 800-38G revision 1) with SM4: format-preserving encryption. Sixteen digits become
//! other sixteen digits.
//!
//! Equal inputs under equal tweaks give equal outputs, and whoever may encrypt can try out all
//! values of a small domain; so put what is known about a record (its number, its column) into the
//! tweak. Domains of less than a million values are refused, as the standard demands.
//!
//! All arithmetic on numerals is constant time: divisions by the radix are multiplications by its
//! reciprocal, and carries are masks. Only the radix and the number of numerals show in the time.
//! (For texts see [`Alphabet`].)

mod alphabet;
mod numerals;

use alloc::{string::String, vec, vec::Vec};
use core::fmt;

use zeroize::Zeroizing;

pub use self::alphabet::Alphabet;
use self::numerals::Radix;
use crate::{BLOCK_SIZE, Error, Sm4, block::xor};

/// Most numerals in one value. The time grows with the square of their number.
pub const MAX_LEN: usize = 4096;

/// Smallest domain: radix^length (SP 800-38G revision 1, 5.1).
pub const MIN_DOMAIN: u64 = 1_000_000;

const ROUNDS: u8 = 10;

type Block = [u8; BLOCK_SIZE];

/// An FF1 key for numerals below a radix.
///
/// ```
/// use gmkit_sm4::ff1::Ff1;
///
/// let ff1 = Ff1::new(&[7; 16], 10)?;
/// let mut numerals = [6, 2, 2, 2, 0, 2, 1, 2, 3, 4, 5, 6];
/// ff1.encrypt(b"column 3", &mut numerals)?;
/// assert!(numerals.iter().all(|numeral| *numeral < 10));
/// ff1.decrypt(b"column 3", &mut numerals)?;
/// assert_eq!(numerals[..4], [6, 2, 2, 2]);
/// # Ok::<(), gmkit_sm4::Error>(())
/// ```
#[derive(Clone)]
pub struct Ff1 {
    cipher: Sm4,
    radix: Radix,
}

impl Ff1 {
    /// Takes a 16-byte key and a radix of 2 to 65,536.
    ///
    /// # Errors
    /// [`Error::Radix`].
    pub fn new(key: &[u8; 16], radix: u32) -> Result<Self, Error> {
        Ok(Self { cipher: Sm4::new(key), radix: Radix::new(radix)? })
    }

    /// Encrypts numerals in place, the most significant one first. The tweak has any length and is
    /// not secret.
    ///
    /// # Errors
    /// [`Error::Numeral`] when one is not below the radix; [`Error::Domain`] for less than
    /// [`MIN_DOMAIN`] values or more than [`MAX_LEN`] numerals; [`Error::MessageTooLong`] for a
    /// tweak of 4 GiB. `numerals` is then unchanged.
    pub fn encrypt(&self, tweak: &[u8], numerals: &mut [u16]) -> Result<(), Error> {
        let shape = Shape::new(self, tweak, numerals)?;
        let (mut a, mut b) = shape.halves(numerals);
        for i in 0..ROUNDS {
            let y = shape.round(i, &b, a.len());
            self.radix.add(&mut a, &y);
            core::mem::swap(&mut a, &mut b);
        }
        shape.join(&a, &b, numerals);
        Ok(())
    }

    /// Encrypts a text whose characters are all in `alphabet`, to one of as many characters.
    ///
    /// ```
    /// use gmkit_sm4::ff1::{Alphabet, Ff1};
    ///
    /// let ff1 = Ff1::new(&[7; 16], 10)?;
    /// let text = ff1.encrypt_text(&Alphabet::digits(), b"card", "6222021234567894")?;
    /// assert_eq!(text.len(), 16);
    /// let back = ff1.decrypt_text(&Alphabet::digits(), b"card", &text)?;
    /// assert_eq!(*back, "6222021234567894");
    /// # Ok::<(), gmkit_sm4::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Alphabet`] when it has another number of characters than the radix;
    /// [`Error::Numeral`] for a character that is not in it; else as [`Ff1::encrypt`].
    pub fn encrypt_text(
        &self,
        alphabet: &Alphabet,
        tweak: &[u8],
        text: &str,
    ) -> Result<Zeroizing<String>, Error> {
        self.text(alphabet, text, |numerals| self.encrypt(tweak, numerals))
    }

    /// Decrypts what [`Ff1::encrypt_text`] made.
    ///
    /// # Errors
    /// As [`Ff1::encrypt_text`].
    pub fn decrypt_text(
        &self,
        alphabet: &Alphabet,
        tweak: &[u8],
        text: &str,
    ) -> Result<Zeroizing<String>, Error> {
        self.text(alphabet, text, |numerals| self.decrypt(tweak, numerals))
    }

    /// Goes on with a CBC-MAC.
    fn add_to_mac(&self, mac: &mut Block, blocks: &[Block]) {
        for block in blocks {
            xor(mac, block);
            self.cipher.encrypt(core::slice::from_mut(mac));
        }
    }

    fn text(
        &self,
        alphabet: &Alphabet,
        text: &str,
        work: impl FnOnce(&mut [u16]) -> Result<(), Error>,
    ) -> Result<Zeroizing<String>, Error> {
        if alphabet.radix() != self.radix.value() {
            return Err(Error::Alphabet);
        }
        // Before the characters are looked up: that takes time for each of them. (Counting does not
        // look them up in the standard library's table of lengths; skipping would.)
        if text.chars().count() > MAX_LEN {
            return Err(Error::Domain);
        }
        let mut numerals = alphabet.numerals(text)?;
        work(&mut numerals)?;
        Ok(alphabet.text(&numerals))
    }

    /// Decrypts numerals in place.
    ///
    /// # Errors
    /// As [`Ff1::encrypt`]. Nothing is authenticated: a wrong key or tweak gives other numerals.
    pub fn decrypt(&self, tweak: &[u8], numerals: &mut [u16]) -> Result<(), Error> {
        let shape = Shape::new(self, tweak, numerals)?;
        let (mut a, mut b) = shape.halves(numerals);
        for i in (0..ROUNDS).rev() {
            core::mem::swap(&mut a, &mut b);
            let y = shape.round(i, &b, a.len());
            self.radix.subtract(&mut a, &y);
        }
        shape.join(&a, &b, numerals);
        Ok(())
    }
}

impl fmt::Debug for Ff1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ff1(radix {}) {{ .. }}", self.radix.value())
    }
}

type Half = Zeroizing<Vec<u16>>;

/// What the lengths decide (steps 1 to 5), and the tweak.
struct Shape<'a> {
    ff1: &'a Ff1,
    /// What is left of the tweak behind its whole blocks.
    tweak: &'a [u8],
    /// u, the length of the left half.
    u: usize,
    /// b, the bytes of the right half's number.
    b: usize,
    /// CBC-MAC over P and the whole blocks of the tweak.
    mac: Zeroizing<Block>,
}

impl<'a> Shape<'a> {
    fn new(ff1: &'a Ff1, tweak: &'a [u8], numerals: &[u16]) -> Result<Self, Error> {
        let n = numerals.len();
        if n > MAX_LEN || !ff1.radix.reaches(n, MIN_DOMAIN) {
            return Err(Error::Domain);
        }
        ff1.radix.check(numerals)?;
        let t = u32::try_from(tweak.len()).map_err(|_| Error::MessageTooLong)?;
        let u = n / 2;
        let b = ff1.radix.bytes(n - u);
        let mut p = [0; BLOCK_SIZE];
        p[..3].copy_from_slice(&[1, 2, 1]);
        p[3..6].copy_from_slice(&ff1.radix.value().to_be_bytes()[1..]);
        p[6..8].copy_from_slice(&[ROUNDS, u as u8]);
        p[8..12].copy_from_slice(&(n as u32).to_be_bytes());
        p[12..].copy_from_slice(&t.to_be_bytes());
        let mut mac = Zeroizing::new(p);
        ff1.cipher.encrypt(core::slice::from_mut(&mut mac));
        let (blocks, tweak) = tweak.as_chunks();
        ff1.add_to_mac(&mut mac, blocks);
        Ok(Self { ff1, tweak, u, b, mac })
    }

    fn halves(&self, numerals: &[u16]) -> (Half, Half) {
        let (a, b) = numerals.split_at(self.u);
        (Zeroizing::new(a.to_vec()), Zeroizing::new(b.to_vec()))
    }

    fn join(&self, a: &[u16], b: &[u16], numerals: &mut [u16]) {
        let (left, right) = numerals.split_at_mut(self.u);
        left.copy_from_slice(a);
        right.copy_from_slice(b);
    }

    /// y modulo radix^m of round `i` (steps 6.i to 6.v), as m numerals.
    fn round(&self, i: u8, b: &[u16], m: usize) -> Half {
        self.ff1.radix.numerals(&self.stream(&self.prf(i, b)), m)
    }

    /// R = PRF(P ‖ Q), Q = T ‖ 0... ‖ i ‖ NUM(B).
    fn prf(&self, i: u8, b: &[u16]) -> Zeroizing<Block> {
        let len = (self.tweak.len() + 1 + self.b).next_multiple_of(BLOCK_SIZE);
        let mut q = Zeroizing::new(vec![0; len]);
        q[..self.tweak.len()].copy_from_slice(self.tweak);
        let (head, number) = q.split_at_mut(len - self.b);
        head[len - self.b - 1] = i;
        self.ff1.radix.write_number(b, number);
        let mut r = self.mac.clone();
        self.ff1.add_to_mac(&mut r, q.as_chunks().0);
        r
    }

    /// S: the first d bytes of R ‖ E(R ⊕ 1) ‖ E(R ⊕ 2) ‖ ...
    fn stream(&self, r: &Block) -> Zeroizing<Vec<u8>> {
        let d = self.b.next_multiple_of(4) + 4;
        let r = Zeroizing::new(u128::from_be_bytes(*r));
        let mut s = Zeroizing::new(vec![0; d.next_multiple_of(BLOCK_SIZE)]);
        let blocks = s.as_chunks_mut::<BLOCK_SIZE>().0;
        blocks.iter_mut().zip(0..).for_each(|(block, j)| *block = (*r ^ j).to_be_bytes());
        self.ff1.cipher.encrypt(&mut blocks[1..]);
        s.truncate(d);
        s
    }
}
