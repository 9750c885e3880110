//! The random number generators of GM/T 0105.

use std::sync::OnceLock;

use toolkit::{
    keys::selftest,
    rng::{self, Drng, Level, Mechanism},
};

use crate::{
    export::export,
    fault::Fault,
    handle::handles,
    pointer::{In, Out, Owned, RefMut, Slot},
};

/// The generator of GM/T 0105-2021 on SM3.
pub const GMKIT_DRNG_SM3: u32 = 0;
/// The generator of GM/T 0105-2021 on SM4.
pub const GMKIT_DRNG_SM4: u32 = 1;

/// A known answer that is not given puts everything out of service, as with other algorithms.
fn tested() -> Result<(), Fault> {
    static PASSED: OnceLock<bool> = OnceLock::new();
    Ok(selftest::record("DRNG", *PASSED.get_or_init(rng::selftest))?)
}

handles! {
    /// A random number generator. Not for two threads at the same time.
    struct gmkit_drng(Drng);
}

export! {
    /// Makes a generator of GM/T 0105-2021, seeded by the operating system's. `mechanism` is
    /// GMKIT_DRNG_SM3 or GMKIT_DRNG_SM4; `level` is the security level 1 or 2, which decides how
    /// often it is reseeded; `personalization` tells generators apart and may be empty. It reseeds
    /// itself in a forked child too. For those whose assessor asks for it: `gmkit_random` is as
    /// good. Free it with `gmkit_drng_free`.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT, also for more than 65,536 bytes of personalization;
    /// GMKIT_ERR_RANDOM, also when the entropy fails a health test; GMKIT_ERR_SELF_TEST.
    fn gmkit_drng_new(
        mechanism: u32,
        level: u32,
        personalization: In,
        personalization_len: usize,
        drng: Slot<gmkit_drng>,
    ) {
        let mechanism = match mechanism {
            GMKIT_DRNG_SM3 => Mechanism::Sm3,
            GMKIT_DRNG_SM4 => Mechanism::Sm4,
            _ => return Err(Fault::argument("unknown mechanism")),
        };
        let level = match level {
            1 => Level::One,
            2 => Level::Two,
            _ => return Err(Fault::argument("the security level is 1 or 2")),
        };
        drng.check()?;
        tested()?;
        drng.put(Drng::new(mechanism, level, personalization.bytes(personalization_len)?)?)
    }

    /// Fills `out` with `len` bytes, fit for keys and nonces.
    ///
    /// Errors: GMKIT_ERR_RANDOM; `out` is then filled with zero bytes (as with `gmkit_random`), and
    /// the generator gives nothing more.
    fn gmkit_drng_fill(drng: RefMut<gmkit_drng>, out: Out, len: usize) {
        let out = out.fill(len)?;
        drng.with(|drng| Ok(drng.fill(b"", out)?))
    }

    /// Takes fresh entropy in, and `additional` input of at most 65,536 bytes, which may be empty.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT; GMKIT_ERR_RANDOM, after which the generator gives nothing more.
    fn gmkit_drng_reseed(drng: RefMut<gmkit_drng>, additional: In, additional_len: usize) {
        let additional = additional.bytes(additional_len)?;
        drng.with(|drng| Ok(drng.reseed(additional)?))
    }

    /// Wipes and frees. NULL is allowed.
    fn gmkit_drng_free(drng: Owned<gmkit_drng>) = void {
        drng.free();
    }
}
