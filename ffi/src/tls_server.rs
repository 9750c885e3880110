//! Servers of national TLS.

use std::sync::Arc;

use toolkit::{
    pki::Certificate,
    tls::{
        Clients, Server, accept,
        rustls::{ServerConfig, StreamOwned},
    },
};

use crate::{
    export::export,
    fault::Fault,
    handle::handles,
    pointer::{Fd, In, Owned, Ref, Slot},
    private_key::gmkit_private_key,
    tls_client::{GMKIT_TLS_CLIENTS_OPTIONAL, GMKIT_TLS_HYBRID, check_flags},
    tls_session::{Session, Socket, gmkit_tls_session, protocols},
    verifier::gmkit_verifier,
};

handles! {
    /// Who a server of TLS is, and whom it lets in. Any number of threads may use it at the same time.
    struct gmkit_tls_server(Arc<ServerConfig>);
}

export! {
    /// Makes a server of TLS 1.3 with the national suites (RFC 8998). `chain` is its certificate and those
    /// above it, in PEM; `key` may be in a device. With `clients`, which may be NULL, it asks clients for
    /// certificates, and lets in whom that holds for good; it gives no tickets then. `alpn` is as in
    /// `gmkit_tls_client_new`; `flags` is a sum of GMKIT_TLS_HYBRID and GMKIT_TLS_CLIENTS_OPTIONAL. The
    /// other handles may be freed afterwards. Free it with `gmkit_tls_server_free`.
    ///
    /// Errors: GMKIT_ERR_ENCODING; GMKIT_ERR_KEY when the key is not the certificate's;
    /// GMKIT_ERR_UNTRUSTED when the certificate is not for servers; GMKIT_ERR_ARGUMENT.
    fn gmkit_tls_server_new(
        chain: In,
        chain_len: usize,
        key: Ref<gmkit_private_key>,
        clients: Ref<gmkit_verifier>,
        alpn: In,
        alpn_len: usize,
        flags: u32,
        server: Slot<gmkit_tls_server>,
    ) {
        server.check()?;
        check_flags(flags, GMKIT_TLS_HYBRID | GMKIT_TLS_CLIENTS_OPTIONAL)?;
        let chain = Certificate::all_from_file_bytes(chain.bytes(chain_len)?)?;
        let mut made = Server::new(chain, Arc::clone(key.get()?.key()))?;
        made = made.with_alpn(protocols(alpn.bytes(alpn_len)?)?);
        let optional = flags & GMKIT_TLS_CLIENTS_OPTIONAL != 0;
        made = match (clients.optional()?, optional) {
            (Some(trust), true) => made.with_clients(trust.clone(), &[], Clients::Optional),
            (Some(trust), false) => made.with_clients(trust.clone(), &[], Clients::Required),
            (None, false) => made,
            (None, true) => return Err(Fault::argument("clients are optional, and nobody is trusted")),
        };
        if flags & GMKIT_TLS_HYBRID != 0 {
            made = made.with_hybrid();
        }
        server.put(made.config()?)
    }

    /// Shakes hands with the client at the other end of a connected socket, as
    /// `gmkit_tls_client_connect` does with a server. Free the session with `gmkit_tls_session_free`.
    ///
    /// Errors: GMKIT_ERR_UNTRUSTED, GMKIT_ERR_TLS, GMKIT_ERR_IO, GMKIT_ERR_TIMEOUT; what the server's key
    /// says, as in `gmkit_sm2_sign`.
    fn gmkit_tls_server_accept(
        server: Ref<gmkit_tls_server>,
        fd: Fd,
        session: Slot<gmkit_tls_session>,
    ) {
        session.check()?;
        let mut socket = Socket::copy_of(&fd)?;
        let connection = accept(Arc::clone(server.get()?), &mut socket)?;
        session.put(Session::Server(StreamOwned::new(connection, socket)))
    }

    /// Frees; sessions stay. NULL is allowed.
    fn gmkit_tls_server_free(server: Owned<gmkit_tls_server>) = void {
        server.free();
    }
}
