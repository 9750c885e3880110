//! Gives the shared library its SONAME. The number changes when the ABI breaks.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libgmkit.so.0");
        // Pages of 64 KiB, as Kylin and NeoKylin kernels for ARM64 have them.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,max-page-size=65536");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,relro,-z,now");
    }
}
