//! Clients of national TLS.

use std::sync::Arc;

use toolkit::{
    pki::Certificate,
    tls::{
        Client, connect,
        rustls::{ClientConfig, StreamOwned, pki_types::ServerName},
    },
};

use crate::{
    certificate::text,
    export::export,
    fault::Fault,
    handle::handles,
    pointer::{Fd, In, Owned, Ref, Slot},
    private_key::gmkit_private_key,
    tls_session::{Session, Socket, gmkit_tls_session, protocols},
    verifier::gmkit_verifier,
};

/// Prefers curveSM2MLKEM768, which is not in RFC 8998, to curveSM2.
pub const GMKIT_TLS_HYBRID: u32 = 1;
/// A server lets clients in that have no certificate; one that is shown must be good.
pub const GMKIT_TLS_CLIENTS_OPTIONAL: u32 = 2;
/// A client has a full handshake each time, in which the server is checked. Without, it takes up
/// sessions that it had before, in which the server's certificate is not checked again.
pub const GMKIT_TLS_NO_RESUMPTION: u32 = 4;

handles! {
    /// What a client of TLS trusts, and who it is. Any number of threads may use it at the same time.
    struct gmkit_tls_client(Arc<ClientConfig>);
}

/// Refuses flags that mean nothing here.
pub(crate) fn check_flags(flags: u32, known: u32) -> Result<(), Fault> {
    match flags & !known {
        0 => Ok(()),
        _ => Err(Fault::argument("unknown flags")),
    }
}

export! {
    /// Makes a client of TLS 1.3 with the national suites (RFC 8998), which trusts servers that
    /// `verifier` holds for good. `chain` is its own certificate and those above it, in PEM, for servers
    /// that ask, with its `key`; both may be NULL. `alpn` is a list of protocols as in `h2,http/1.1`,
    /// the preferred one first; it may be NULL with length 0. `flags` is a sum of GMKIT_TLS_HYBRID and
    /// GMKIT_TLS_NO_RESUMPTION. The other handles may be freed afterwards. Free it with `gmkit_tls_client_free`.
    ///
    /// Errors: GMKIT_ERR_ENCODING; GMKIT_ERR_KEY when the key is not the certificate's;
    /// GMKIT_ERR_UNTRUSTED when the certificate is not for clients; GMKIT_ERR_ARGUMENT.
    fn gmkit_tls_client_new(
        verifier: Ref<gmkit_verifier>,
        chain: In,
        chain_len: usize,
        key: Ref<gmkit_private_key>,
        alpn: In,
        alpn_len: usize,
        flags: u32,
        client: Slot<gmkit_tls_client>,
    ) {
        client.check()?;
        check_flags(flags, GMKIT_TLS_HYBRID | GMKIT_TLS_NO_RESUMPTION)?;
        let mut made = Client::new(verifier.get()?.clone());
        made = made.with_alpn(protocols(alpn.bytes(alpn_len)?)?);
        made = match (chain.optional(chain_len)?, key.optional()?) {
            (Some(chain), Some(key)) => {
                made.with_identity(Certificate::all_from_file_bytes(chain)?, Arc::clone(key.key()))?
            }
            (None, None) => made,
            _ => return Err(Fault::argument("a chain without its key, or a key without its chain")),
        };
        if flags & GMKIT_TLS_HYBRID != 0 {
            made = made.with_hybrid();
        }
        if flags & GMKIT_TLS_NO_RESUMPTION != 0 {
            made = made.without_resumption();
        }
        client.put(made.config()?)
    }

    /// Shakes hands with the server at the other end of a connected socket, which must block; how long
    /// this may take is the socket's timeouts' matter (SO_RCVTIMEO). `host`, a name or an address in
    /// UTF-8, is whom its certificate must be for. `fd` stays the caller's: the session has a copy. Free
    /// the session with `gmkit_tls_session_free`.
    ///
    /// Errors: GMKIT_ERR_UNTRUSTED, GMKIT_ERR_TLS, GMKIT_ERR_IO, GMKIT_ERR_TIMEOUT; what the client's key
    /// says, as in `gmkit_sm2_sign`; GMKIT_ERR_ARGUMENT for a host that is neither a name nor an address.
    fn gmkit_tls_client_connect(
        client: Ref<gmkit_tls_client>,
        fd: Fd,
        host: In,
        host_len: usize,
        session: Slot<gmkit_tls_session>,
    ) {
        session.check()?;
        let name = ServerName::try_from(text(host.bytes(host_len)?)?.to_owned());
        let name = name.map_err(|_| Fault::argument("a host is neither a name nor an address"))?;
        let mut socket = Socket::copy_of(&fd)?;
        let connection = connect(Arc::clone(client.get()?), name, &mut socket)?;
        session.put(Session::Client(StreamOwned::new(connection, socket)))
    }

    /// Frees; sessions stay. NULL is allowed.
    fn gmkit_tls_client_free(client: Owned<gmkit_tls_client>) = void {
        client.free();
    }
}
