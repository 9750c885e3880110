//! What is left in memory: nothing of a key in an object that was dropped, and nothing of a key or
//! a plaintext in memory that is given back, also when an operation fails.
//!
//! It is here because it looks at raw memory, which the other crates must not. `wipe.c` does the
//! same for the handles of the C ABI.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    mem::MaybeUninit,
    slice,
    sync::{
        RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use toolkit::{
    keys::{
        EnvelopedKey, KeyFormat, Passphrase, PrivateKey, SecretKey as _, SoftwareKey,
        SoftwareSecret,
    },
    rng::{Drng, Level, Mechanism, hazmat::Deterministic},
    sm2::{
        Id, SecretKey, batch,
        exchange::{Exchange, Role},
        rand_core::{TryCryptoRng, TryRng},
    },
    sm3::{self, Digest, Sm3, kdfs},
    sm4::{
        Cmac, Sm4, bc, cbc,
        ccm::Ccm,
        cfb,
        cmac::{KeyInit, Mac},
        ctr::Ctr,
        ff1::{Alphabet, Ff1},
        gcm::{Gcm, Opener, Sealer},
        gcm_siv::GcmSiv,
        hctr::Hctr,
        ofb::Ofb,
        ofbnlf,
        wrap::KeyWrap,
        xts::Xts,
    },
};

/// Looks at all memory that is given back while `WATCHING`.
struct Watched;

static WATCHING: AtomicBool = AtomicBool::new(false);
static FREED: AtomicUsize = AtomicUsize::new(0);
static FOUND: AtomicUsize = AtomicUsize::new(0);
/// What else to look for: 16 bytes each.
static NEEDLES: RwLock<Vec<[u8; RUN]>> = RwLock::new(Vec::new());

/// Two bytes that every piece of secret here consists of, eight times over or more.
const MARK: [u8; 2] = [0xa7, 0x5c];
const RUN: usize = 16;

/// Whether `RUN` bytes in a row are marks, or one of the needles.
fn has_secret(memory: &[u8]) -> bool {
    let needles = NEEDLES.read().unwrap();
    memory.windows(RUN).any(|window| {
        window.chunks(2).all(|pair| pair == MARK) || needles.iter().any(|needle| needle == window)
    })
}

// SAFETY: the system's allocator does the work; what is to be freed is only read before.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are passed on. Zeroed, so that all of it can be read.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if WATCHING.load(Ordering::Relaxed) {
            FREED.fetch_add(1, Ordering::Relaxed);
            // SAFETY: the allocation is still there, and was initialised when it was made.
            let bytes = unsafe { slice::from_raw_parts(memory, layout.size()) };
            if has_secret(bytes) {
                FOUND.fetch_add(1, Ordering::Relaxed);
            }
        }
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(memory, layout) };
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;

/// Runs `work`; nothing that it frees may hold marks. What it returns is not freed.
fn leaves_nothing<T>(what: &str, work: impl FnOnce() -> T) {
    leaves_none_of(what, &[], work);
}

/// The same, and no beginning of the `secrets`: the forms that a secret has inside.
fn leaves_none_of<T>(what: &str, secrets: &[&[u8]], work: impl FnOnce() -> T) {
    // That memory with it would be noticed is seen first.
    for secret in secrets {
        *NEEDLES.write().unwrap() = vec![secret[..RUN].try_into().unwrap()];
        assert!(has_secret(secret), "{what}");
    }
    *NEEDLES.write().unwrap() =
        secrets.iter().map(|secret| secret[..RUN].try_into().unwrap()).collect();
    FOUND.store(0, Ordering::Relaxed);
    WATCHING.store(true, Ordering::Relaxed);
    let kept = work();
    WATCHING.store(false, Ordering::Relaxed);
    std::mem::forget(kept);
    assert_eq!(FOUND.load(Ordering::Relaxed), 0, "{what} gives back memory with a secret in it");
}

/// Drops an object where it is and returns its bytes before and after.
fn dropped<T>(value: T) -> [Vec<u8>; 2] {
    let mut place = Box::new(MaybeUninit::<T>::zeroed());
    place.write(value);
    let bytes = |place: &MaybeUninit<T>| {
        // SAFETY: the memory was zeroed as a whole before a value was written into it, and a byte
        // is read as what it is.
        unsafe { slice::from_raw_parts(place.as_ptr().cast::<u8>(), size_of::<T>()) }.to_vec()
    };
    let before = bytes(&place);
    // SAFETY: it holds a value, which is not used again.
    unsafe { place.assume_init_drop() };
    [before, bytes(&place)]
}

/// The bytes that depend on the key are those that differ between two objects with different keys.
/// After the drop they are all zero, but for `public` of them. What was on the stack can get into
/// the padding between two fields, which is shorter than eight bytes: that is not looked at.
fn wiped<T>(what: &str, public: usize, make: impl Fn(u8) -> T) {
    let ([one, after], [other, _]) = (dropped(make(0x11)), dropped(make(0xe6)));
    let depends = |i: &usize| one[*i] != other[*i];
    assert!((0..one.len()).filter(depends).count() >= 8, "{what}: nothing depends on the key");
    let left: Vec<bool> = (0..one.len()).map(|i| depends(&i) && after[i] != 0).collect();
    let runs = left.chunk_by(|a, b| a == b).filter(|run| run[0] && run.len() >= 8);
    let left: usize = runs.map(<[bool]>::len).sum();
    assert!(left <= public, "{what}: {left} bytes are left, {public} are public");
}

/// Counts up from a key: not random, which does not matter here.
struct Counting(u8);

impl TryRng for Counting {
    type Error = std::fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Err(std::fmt::Error)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Err(std::fmt::Error)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        for byte in out {
            self.0 = self.0.wrapping_mul(5).wrapping_add(3);
            *byte = self.0;
        }
        Ok(())
    }
}

impl TryCryptoRng for Counting {}

fn objects_of_symmetric_keys() {
    let key = |seed| [seed; 16];
    let other = |seed: u8| [seed ^ 0x0f; 16];
    let keys = |seed: u8| [[seed; 16], [seed ^ 0x0f; 16]].concat().try_into().unwrap();
    wiped("Sm4", 0, |seed| Sm4::new(&key(seed)));
    wiped("Gcm", 0, |seed| Gcm::new(&key(seed)));
    wiped("Ccm", 0, |seed| Ccm::new(&key(seed)));
    wiped("GcmSiv", 0, |seed| GcmSiv::new(&key(seed)));
    wiped("Xts", 0, |seed| Xts::gb(&keys(seed)).unwrap());
    wiped("Hctr", 0, |seed| Hctr::new(&key(seed), &other(seed)));
    wiped("Ff1", 0, |seed| Ff1::new(&key(seed), 10).unwrap());
    wiped("KeyWrap", 0, |seed| KeyWrap::new(&key(seed)));
    wiped("Cmac", 0, |seed| Cmac::new(&key(seed).into()).chain_update([seed; 20]));
    wiped("Sealer", 0, |seed| {
        let mut sealer = Sealer::new(&Gcm::new(&key(seed)), &[1; 12], b"").unwrap();
        sealer.update(&mut [seed; 21]).unwrap();
        sealer
    });
    wiped("Opener", 0, |seed| {
        let mut opener = Opener::new(&Gcm::new(&key(seed)), &[1; 12], b"").unwrap();
        opener.update_unverified(&mut [seed; 21]).unwrap();
        opener
    });
    wiped("Ctr", 0, |seed| {
        let mut ctr = Ctr::new(&key(seed), &[1; 16]);
        ctr.apply_keystream(&mut [0; 21]);
        ctr
    });
    wiped("Ofb", 0, |seed| {
        let mut ofb = Ofb::new(&key(seed), &[1; 16]);
        ofb.apply_keystream(&mut [0; 21]);
        ofb
    });
    wiped("cfb::Encryptor", 0, |seed| {
        let mut cfb = cfb::Encryptor::new(&key(seed), &[1; 16]);
        cfb.encrypt(&mut [seed; 21]);
        cfb
    });
    wiped("cfb::Decryptor", 0, |seed| {
        let mut cfb = cfb::Decryptor::new(&key(seed), &[1; 16]);
        cfb.decrypt(&mut [1; 21]);
        cfb
    });
    // The chaining block is ciphertext.
    wiped("cbc::Encryptor", 16, |seed| {
        let mut cbc = cbc::Encryptor::new(&key(seed), &[1; 16]);
        cbc.update(&[seed; 21], &mut [0; 40]).unwrap();
        cbc
    });
    wiped("cbc::Decryptor", 0, |seed| {
        let mut cbc = cbc::Decryptor::new(&key(seed), &[1; 16]);
        cbc.update(&[1; 21], &mut [0; 40]).unwrap();
        cbc
    });
    wiped("bc::Encryptor", 0, |seed| {
        let mut bc = bc::Encryptor::new(&key(seed), &[1; 16]);
        bc.encrypt(&mut [[seed; 16]; 3]);
        bc
    });
    wiped("bc::Decryptor", 0, |seed| bc::Decryptor::new(&key(seed), &[1; 16]));
    wiped("ofbnlf::Encryptor", 0, |seed| {
        let mut ofbnlf = ofbnlf::Encryptor::new(&key(seed), &[1; 16]);
        ofbnlf.encrypt(&mut [[seed; 16]; 3]);
        ofbnlf
    });
    wiped("ofbnlf::Decryptor", 0, |seed| ofbnlf::Decryptor::new(&key(seed), &[1; 16]));
}

fn objects_of_hashes_and_generators() {
    wiped("Sm3", 0, |seed| Sm3::new().chain_update([seed; 100]));
    wiped("Hmac", 0, |seed| {
        kdfs::Hmac::new_from_slice(&[seed; 32]).unwrap().chain_update([seed; 70])
    });
    wiped("Hkdf", 0, |seed| kdfs::Hkdf::new(None, &[seed; 32]));
    for mechanism in [Mechanism::Sm3, Mechanism::Sm4] {
        // When it was seeded is public.
        wiped("Drng", 16, |_| Drng::new(mechanism, Level::One, b"").unwrap());
        wiped("Deterministic", 0, |seed| {
            let mut rng = Deterministic::new(mechanism, &[seed; 32], &[seed; 16], b"");
            rng.reseed(&[seed; 32], b"");
            rng.generate(b"", &mut [0; 50]);
            rng
        });
    }
}

fn objects_of_sm2() {
    // The public key stays: 64 bytes in the key, and as much of each party in the exchange, with Z
    // and the ephemeral point.
    wiped("SecretKey", 64, |seed| SecretKey::from_bytes(&[seed; 32]).unwrap());
    wiped("SoftwareKey", 64, |seed| SoftwareKey::from(SecretKey::from_bytes(&[seed; 32]).unwrap()));
    let fixed = SecretKey::from_bytes(&[3; 32]).unwrap();
    let peer = SecretKey::from_bytes(&[4; 32]).unwrap();
    let exchange = |seed| {
        let (role, id) = (Role::Initiator, Id::DEFAULT);
        Exchange::start(&mut Counting(seed), role, &fixed, id, peer.public_key(), id).unwrap()
    };
    wiped("Exchange", 64, exchange);
    // The agreed key is on the heap, see below; its address is public, and has eight bytes.
    wiped("Agreed", 8, |seed| exchange(seed).agree(peer.public_key(), 32).unwrap());
}

/// 32 bytes of marks: as a private key in range, and as content.
fn marks() -> [u8; 32] {
    std::array::from_fn(|i| MARK[i % 2])
}

fn operations_that_succeed_and_fail() {
    let key = SecretKey::from_bytes(&marks()).unwrap();
    let software = SoftwareKey::from(SecretKey::from_bytes(&marks()).unwrap());
    let other = SoftwareKey::generate().unwrap();
    let message = marks().repeat(9);

    // SM2 encryption: the plaintext, and the private key.
    let sent = key.public_key().encrypt(&mut Counting(9), &message).unwrap();
    let mut raw = sent.to_c1c3c2();
    raw[70] ^= 1; // in C3
    let changed = toolkit::sm2::Ciphertext::from_c1c3c2(&raw).unwrap();
    leaves_nothing("encrypt", || key.public_key().encrypt(&mut Counting(7), &message));
    leaves_nothing("decrypt", || drop(key.decrypt(&sent).unwrap()));
    leaves_nothing("a refused decryption", || key.decrypt(&changed).unwrap_err());
    leaves_nothing("sign", || key.sign(&mut Counting(7), Id::DEFAULT, &message));
    let messages: [&[u8]; 70] = [&message; 70];
    leaves_nothing("a batch", || batch::sign(&mut Counting(7), &key, Id::DEFAULT, &messages));
    // Key files, with the right and with a wrong passphrase.
    let (right, wrong) = (Passphrase::new(marks()), Passphrase::new(&marks()[..30]));
    let pem = software.to_encrypted_pem(&right, KeyFormat::Compat).unwrap();
    let plain = software.to_pem();
    leaves_nothing("writing a key", || software.to_encrypted_pem(&right, KeyFormat::OpenSsl4));
    // The second line of base64 begins in the private key.
    let base64 = plain.lines().nth(1).unwrap().as_bytes()[48..].to_vec();
    leaves_none_of("writing a plain key", &[&base64], || drop(software.to_pem()));
    leaves_nothing("reading a plain key", || {
        SoftwareKey::from_file_bytes(plain.as_bytes(), || Ok(wrong.clone())).unwrap()
    });
    leaves_nothing("reading a key", || {
        drop(SoftwareKey::from_file_bytes(pem.as_bytes(), || Ok(right.clone())).unwrap());
    });
    leaves_nothing("a wrong passphrase", || {
        SoftwareKey::from_file_bytes(pem.as_bytes(), || Ok(wrong.clone())).unwrap_err()
    });

    // An envelope for its owner, and for somebody else.
    let envelope = EnvelopedKey::seal(&software, other.public_key()).unwrap();
    leaves_nothing("sealing an envelope", || EnvelopedKey::seal(&software, other.public_key()));
    leaves_nothing("opening an envelope", || drop(envelope.open(&other).unwrap()));
    leaves_nothing("another's envelope", || envelope.open(&software).unwrap_err());

    // Symmetric keys: what was sealed and is refused.
    let secret = SoftwareSecret::sm4(&marks()[..16]).unwrap();
    let mut sealed = secret.seal(b"", &message).unwrap();
    leaves_nothing("seal", || secret.seal(b"", &message).unwrap());
    // Inside, the key is round keys, and powers of H; in front of them may stand what is public.
    let [expanded, _] = dropped(Gcm::new(&marks()[..16].try_into().unwrap()));
    let [other, _] = dropped(Gcm::new(&[7; 16]));
    let first = expanded.iter().zip(&other).position(|(a, b)| a != b).unwrap();
    leaves_none_of("a key", &[&expanded[first..]], || drop(SoftwareSecret::sm4(&marks()[..16])));
    let last = sealed.len() - 1;
    sealed[last] ^= 1;
    leaves_nothing("a refused opening", || secret.open(b"", &sealed).unwrap_err());
    let cbc = cbc::encrypt(&[7; 16], &[1; 16], &message);
    leaves_nothing("refused padding", || {
        cbc::decrypt(&[7; 16], &[1; 16], &cbc[..cbc.len() - 16]).unwrap_err()
    });

    // Texts: as such, and as numerals.
    let (ff1, text) = (Ff1::new(&[7; 16], 10).unwrap(), "31415926535897932384");
    let numerals: Vec<u8> = text.bytes().flat_map(|c| u16::from(c - b'0').to_ne_bytes()).collect();
    let secrets: [&[u8]; 2] = [text.as_bytes(), &numerals];
    let encrypted = ff1.encrypt_text(&Alphabet::digits(), b"", text).unwrap();
    leaves_none_of("FF1", &secrets, || ff1.encrypt_text(&Alphabet::digits(), b"", text).unwrap());
    leaves_none_of("FF1 decryption", &secrets, || {
        ff1.decrypt_text(&Alphabet::digits(), b"", &encrypted).unwrap()
    });

    // What keys are derived from, and what is derived.
    let derive = || {
        let mut out = [[0; 64]; 4];
        sm3::kdf(&[&marks()], &mut out[0]).unwrap();
        kdfs::pbkdf2(&marks(), b"salt", 2.try_into().unwrap(), &mut out[1]);
        kdfs::tls12_prf(&marks(), b"label", &[b"seed"], &mut out[2]);
        kdfs::Hkdf::new(None, &marks()).expand(b"", &mut out[3]).unwrap();
        out
    };
    let derived = derive();
    let derived: Vec<&[u8]> = derived.iter().map(<[u8; 64]>::as_slice).collect();
    leaves_none_of("KDFs", &derived, derive);
}

/// The watch itself: memory with a secret that is freed as it is must be noticed.
fn the_watch_sees() {
    FOUND.store(0, Ordering::Relaxed);
    let careless = marks().to_vec();
    WATCHING.store(true, Ordering::Relaxed);
    drop(careless);
    WATCHING.store(false, Ordering::Relaxed);
    assert_eq!(FOUND.load(Ordering::Relaxed), 1);
    let [before, after] = dropped([0x11_u8; 32]);
    assert_eq!(before, after, "nothing wipes an array");
}

/// One test: the allocator is everybody's.
#[test]
fn nothing_is_left() {
    the_watch_sees();
    objects_of_symmetric_keys();
    objects_of_hashes_and_generators();
    objects_of_sm2();
    operations_that_succeed_and_fail();
    assert!(FREED.load(Ordering::Relaxed) > 50, "hardly anything was looked at");
}
