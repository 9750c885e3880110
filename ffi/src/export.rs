//! How a Rust function becomes a C function. The panic guard comes with it.

use std::{
    panic::{self, AssertUnwindSafe, catch_unwind},
    sync::Once,
};

use toolkit::keys::selftest;

use crate::fault::{Fault, gmkit_error};

/// Exports functions to C. Four forms:
///
/// - `fn name(arguments) { .. }` may fail. Its body returns `Result<(), Fault>`; in C it returns
///   `gmkit_error`, and a fault's message is kept for `gmkit_last_error_message`.
/// - `fn name(arguments) = always { .. }` is the same, and runs even when a self-test has failed:
///   its body asks for the state itself, before anything that must not.
/// - `fn name(arguments) -> Type = on_panic { .. }` cannot fail.
/// - `fn name(arguments) = void { .. }` returns nothing.
///
/// `cargo xtask header` reads these invocations, so keep to one name, argument list and body.
macro_rules! export {
    () => {};
    // What all forms have in common.
    (@function
        $(#[$attribute:meta])*
        $name:ident($($argument:ident: $type:ty),*) -> $result:ty { $call:expr }
    ) => {
        $(#[$attribute])*
        #[allow(unsafe_code, reason = "a name for C; all of them begin with gmkit_")]
        #[allow(unused_mut, reason = "some types of arguments change when they are read")]
        #[unsafe(no_mangle)]
        pub extern "C" fn $name($(mut $argument: $type),*) -> $result {
            $call
        }
    };
    (
        $(#[$attribute:meta])*
        fn $name:ident($($argument:ident: $type:ty),* $(,)?) = void $body:block
        $($rest:tt)*
    ) => {
        export! { @function $(#[$attribute])* $name($($argument: $type),*) -> () {
            crate::export::guarded_or((), move || $body)
        } }
        export! { $($rest)* }
    };
    (
        $(#[$attribute:meta])*
        fn $name:ident($($argument:ident: $type:ty),* $(,)?) = always $body:block
        $($rest:tt)*
    ) => {
        export! { @function $(#[$attribute])* $name($($argument: $type),*) -> crate::fault::gmkit_error {
            crate::export::caught(move || -> Result<(), crate::fault::Fault> { $body })
        } }
        export! { $($rest)* }
    };
    (
        $(#[$attribute:meta])*
        fn $name:ident($($argument:ident: $type:ty),* $(,)?) -> $result:ty = $on_panic:tt $body:block
        $($rest:tt)*
    ) => {
        export! { @function $(#[$attribute])* $name($($argument: $type),*) -> $result {
            crate::export::guarded_or($on_panic, move || $body)
        } }
        export! { $($rest)* }
    };
    (
        $(#[$attribute:meta])*
        fn $name:ident($($argument:ident: $type:ty),* $(,)?) $body:block
        $($rest:tt)*
    ) => {
        export! { @function $(#[$attribute])* $name($($argument: $type),*) -> crate::fault::gmkit_error {
            crate::export::guarded(move || -> Result<(), crate::fault::Fault> { $body })
        } }
        export! { $($rest)* }
    };
}
pub(crate) use export;

/// Runs a function's body. No panic crosses into C: it becomes [`gmkit_error::GMKIT_ERR_INTERNAL`].
/// After a self-test has failed nothing is run any more.
///
/// A handle whose function panicked may be half changed; it stays marked as busy and can only be
/// freed then. That is what makes `AssertUnwindSafe` right.
pub(crate) fn guarded(body: impl FnOnce() -> Result<(), Fault>) -> gmkit_error {
    caught(|| {
        selftest::check_state()?;
        body()
    })
}

/// The same for a function that has something to do even after a self-test has failed.
pub(crate) fn caught(body: impl FnOnce() -> Result<(), Fault>) -> gmkit_error {
    be_quiet();
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => gmkit_error::GMKIT_OK,
        Ok(Err(fault)) => fault.record(),
        Err(_) => {
            Fault::new(gmkit_error::GMKIT_ERR_INTERNAL, "internal error: a bug in gmkit").record()
        }
    }
}

/// A panic's message may hold what the panicking code was working on: nothing of it is printed.
/// The hook belongs to this library's own copy of the standard library.
fn be_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| panic::set_hook(Box::new(|_| ())));
}

/// The same for a function that has no way to report an error.
pub(crate) fn guarded_or<T>(on_panic: T, body: impl FnOnce() -> T) -> T {
    be_quiet();
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(on_panic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::last_message;

    #[test]
    fn a_panic_becomes_an_error() {
        let code = guarded(|| panic!("on purpose, with a secret in it: hunter2"));
        assert_eq!(code, gmkit_error::GMKIT_ERR_INTERNAL);
        assert_eq!(last_message(), "internal error: a bug in gmkit");
        assert_eq!(guarded_or(7, || panic!("on purpose")), 7);
    }
}
