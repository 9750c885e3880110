//! SM2 key exchange.

use std::sync::Arc;

use self_cell::self_cell;
use toolkit::{
    keys::{ExchangeContext, PrivateKey},
    sm2::{
        PublicKey,
        exchange::{Agreed, MAX_KLEN, Role},
    },
};

use crate::{
    export::export,
    fault::Fault,
    handle::handles,
    pointer::{In, InArray, Out, OutArray, Owned, Ref, RefMut, Slot},
    private_key::gmkit_private_key,
    public_key::{GMKIT_POINT_SIZE, gmkit_public_key},
    sm2_sign::read_id,
};

/// The party that sends first, A of the standard.
pub const GMKIT_ROLE_INITIATOR: u32 = 0;
/// The party that answers, B of the standard.
pub const GMKIT_ROLE_RESPONDER: u32 = 1;

type Context<'k> = Option<Box<dyn ExchangeContext + 'k>>;

self_cell! {
    /// An exchange under way together with the key it borrows from.
    pub struct Started {
        owner: Arc<dyn PrivateKey>,
        #[not_covariant]
        dependent: Context,
    }
}

/// Where an exchange stands. The agreed key is given out once.
pub struct Exchange {
    started: Started,
    agreed: Option<Agreed>,
    klen: usize,
}

handles! {
    /// A key exchange under way. Not for two threads at the same time.
    struct gmkit_sm2_exchange(Exchange);
}

fn role_of(number: u32) -> Result<Role, Fault> {
    match number {
        GMKIT_ROLE_INITIATOR => Ok(Role::Initiator),
        GMKIT_ROLE_RESPONDER => Ok(Role::Responder),
        _ => Err(Fault::argument("unknown role")),
    }
}

export! {
    /// Starts a key exchange (GB/T 32918.3-2016) with the owner of `peer`, and draws this party's
    /// ephemeral key. `role` is GMKIT_ROLE_INITIATOR or GMKIT_ROLE_RESPONDER, not the same on both
    /// sides. The IDs are as in `gmkit_sm2_sign`. Both keys may be freed before the exchange. Free
    /// it with `gmkit_sm2_exchange_free`.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT, GMKIT_ERR_RANDOM, GMKIT_ERR_UNSUPPORTED.
    fn gmkit_sm2_exchange_new(
        key: Ref<gmkit_private_key>,
        role: u32,
        id: In,
        id_len: usize,
        peer: Ref<gmkit_public_key>,
        peer_id: In,
        peer_id_len: usize,
        exchange: Slot<gmkit_sm2_exchange>,
    ) {
        let (key, peer, role) = (Arc::clone(key.get()?.key()), peer.get()?, role_of(role)?);
        let (id, peer_id) = (read_id(&id, id_len)?, read_id(&peer_id, peer_id_len)?);
        exchange.check()?;
        let started =
            Started::try_new(key, |key| key.start_exchange(role, id, peer, peer_id).map(Some))?;
        exchange.put(Exchange { started, agreed: None, klen: 0 })
    }

    /// Writes R, this party's ephemeral public key, to be sent to the peer: 65 bytes.
    ///
    /// Errors: GMKIT_ERR_FINISHED after `gmkit_sm2_exchange_agree`.
    fn gmkit_sm2_exchange_ephemeral(
        exchange: RefMut<gmkit_sm2_exchange>,
        point: OutArray<GMKIT_POINT_SIZE>,
    ) {
        let bytes = exchange.with(|exchange| {
            exchange.started.with_dependent(|_, context| {
                let context = context.as_ref().ok_or_else(Fault::finished)?;
                Ok(context.ephemeral().to_sec1_bytes())
            })
        })?;
        point.write(&bytes)
    }

    /// Takes the peer's R (65 bytes, or 33 compressed) and computes a shared key of `klen` bytes,
    /// 1 to 2^20. Writes this party's confirmation, 32 bytes, to be sent to the peer: by the
    /// initiator after `gmkit_sm2_exchange_confirm`. This can be done once; a malformed R leaves
    /// the exchange as it was.
    ///
    /// Errors: GMKIT_ERR_ENCODING, GMKIT_ERR_ARGUMENT, GMKIT_ERR_REJECTED, GMKIT_ERR_FINISHED.
    fn gmkit_sm2_exchange_agree(
        exchange: RefMut<gmkit_sm2_exchange>,
        peer_point: In,
        peer_point_len: usize,
        klen: usize,
        confirmation: OutArray<32>,
    ) {
        confirmation.check()?;
        let peer = PublicKey::from_sec1_bytes(peer_point.bytes(peer_point_len)?)?;
        if !(1..=MAX_KLEN).contains(&klen) {
            return Err(Fault::argument("klen is not in 1 to 2^20"));
        }
        let own = exchange.with(|exchange| {
            let agreed = exchange.started.with_dependent_mut(|_, context| {
                let context = context.take().ok_or_else(Fault::finished)?;
                Ok::<_, Fault>(context.agree(&peer, klen)?)
            })?;
            let own = agreed.confirmation();
            exchange.klen = klen;
            exchange.agreed = Some(agreed);
            Ok(own)
        })?;
        confirmation.write(&own)
    }

    /// Checks the peer's confirmation, 32 bytes, and writes the shared key: `klen` bytes, as many
    /// as were agreed. Whatever the result, the key cannot be had again.
    ///
    /// Errors: GMKIT_ERR_REJECTED when the peer has not computed the same: somebody changed a
    /// message, or is not who they say they are. GMKIT_ERR_FINISHED before
    /// `gmkit_sm2_exchange_agree` and after the key was given out.
    fn gmkit_sm2_exchange_confirm(
        exchange: RefMut<gmkit_sm2_exchange>,
        received: InArray<32>,
        key: Out,
        klen: usize,
    ) {
        let received = *received.get()?;
        let agreed = take(exchange, &key, klen)?;
        key.write(&agreed.confirm(&received)?)
    }

    /// Writes the shared key without a confirmation. Whoever takes it so must make sure in another
    /// way that the peer has it too, as TLCP does by its Finished messages.
    ///
    /// Errors: as `gmkit_sm2_exchange_confirm`, without GMKIT_ERR_REJECTED.
    fn gmkit_sm2_exchange_key_without_confirmation(
        exchange: RefMut<gmkit_sm2_exchange>,
        key: Out,
        klen: usize,
    ) {
        let agreed = take(exchange, &key, klen)?;
        key.write(&agreed.without_confirmation())
    }

    /// Wipes and frees, also in the middle of an exchange. NULL is allowed.
    fn gmkit_sm2_exchange_free(exchange: Owned<gmkit_sm2_exchange>) = void {
        exchange.free();
    }
}

/// The agreed key, once the arguments are right.
fn take(exchange: RefMut<gmkit_sm2_exchange>, key: &Out, klen: usize) -> Result<Agreed, Fault> {
    key.check()?;
    exchange.with(|exchange| {
        if exchange.agreed.is_some() && klen != exchange.klen {
            return Err(Fault::argument("another klen than was agreed"));
        }
        exchange.agreed.take().ok_or_else(Fault::finished)
    })
}
