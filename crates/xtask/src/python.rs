//! Peers that come as Python packages, in an environment of their own under `target/`.

use std::path::PathBuf;

use crate::run::{self, Result};

/// What is installed: OpenSSL 4 inside `cryptography`'s wheel, reached through pyOpenSSL; and
/// GmSSL 3.1.1, which `easy_gmssl` compiles; tongsuopy; the `gmssl` that is pure Python; jsonschema;
/// librdkafka, with its mock cluster; the messages of OpenTelemetry; makers of
/// numbers that look real, with their check digits; and zig with cargo-zigbuild, which link for other
/// targets and older glibcs.
const PACKAGES: &str = "pyOpenSSL==26.4.0 cryptography==50.0.2 easy_gmssl==2.0.1 pyasn1==0.6.1 \
                        tongsuopy==1.0.1 gmssl==3.2.2 jsonschema==4.25.1 \
                        confluent-kafka==2.16.1 opentelemetry-proto==1.45.2 \
                        Faker==40.54.0 python-stdnum==2.2 grpcio==1.85.1 grpcio-tools==1.85.1 \
                        ziglang==0.17.1 cargo-zigbuild==0.24.0";

/// Makes the environment once and returns its folder.
pub(crate) fn environment() -> Result<PathBuf> {
    let dir = run::root().join("target/peers");
    let done = dir.join("installed");
    if std::fs::read_to_string(&done).is_ok_and(|text| text == PACKAGES) {
        return Ok(dir);
    }
    run::run(&format!("python3 -m venv {}", dir.display()))?;
    let pip =
        format!("{}/bin/pip install --quiet --disable-pip-version-check {PACKAGES}", dir.display());
    // easy_gmssl puts the GmSSL that it compiles into the home directory.
    run::run_command(run::command(&pip).env("HOME", &dir), &pip)?;
    std::fs::write(&done, PACKAGES).map_err(|error| error.to_string())?;
    Ok(dir)
}
