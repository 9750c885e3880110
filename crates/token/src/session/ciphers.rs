//! Encryption and decryption.

use cryptoki_sys::*;
use zeroize::Zeroizing;

use super::{Answer, Asking, Call, Operations, Under, live};
use crate::{
    mechanism::Mechanism,
    ops::{self, Direction, Done, Stream},
    rv::{Result, Rv, ensure},
};

type Running = Option<Under<Box<dyn Stream>>>;

fn running(operations: &mut Operations, direction: Direction) -> &mut Running {
    match direction {
        Direction::Encrypt => &mut operations.encrypt,
        Direction::Decrypt => &mut operations.decrypt,
    }
}

impl Call<'_> {
    pub(crate) fn start_cipher(
        &self,
        mechanism: &Mechanism,
        key: CK_OBJECT_HANDLE,
        direction: Direction,
    ) -> Result {
        let usage = match direction {
            Direction::Encrypt => (CKA_ENCRYPT, CKF_ENCRYPT),
            Direction::Decrypt => (CKA_DECRYPT, CKF_DECRYPT),
        };
        let mut operations = self.session.operations()?;
        let slot = running(&mut operations, direction);
        ensure(slot.is_none(), CKR_OPERATION_ACTIVE)?;
        let object = self.usable_key(key, mechanism, usage)?;
        let stream = ops::start_cipher(mechanism, &object.key()?, direction)?;
        *slot = Some(Under::with_key(stream, &object, self.slot.epoch()));
        if direction == Direction::Decrypt {
            operations.asking = Some(Asking::Decrypt);
        }
        Ok(())
    }

    /// C_Encrypt and C_Decrypt with `input`, the Final functions without.
    pub(crate) fn finish_cipher(
        &self,
        direction: Direction,
        input: Option<&[u8]>,
        room: Option<usize>,
    ) -> Result<Answer> {
        let mut operations = self.session.operations()?;
        let slot = running(&mut operations, direction);
        let under = live(slot, self.slot.epoch())?;
        ensure(input.is_none() || !under.pieces, CKR_OPERATION_ACTIVE)?;
        ensure(!under.asks_pin, CKR_USER_NOT_LOGGED_IN)?;
        let input = input.unwrap_or_default();
        let bound = under.operation.finish_bound(input.len());
        // How long a plaintext is shows when it is decrypted: a buffer that holds it is enough.
        let try_it = direction == Direction::Decrypt && room.is_some();
        if let Some(answer) = Answer::without_room(bound, room).filter(|_| !try_it) {
            return Ok(answer);
        }
        let epoch = under.epoch;
        let under = slot.take().ok_or(Rv(CKR_OPERATION_NOT_INITIALIZED))?;
        let result = ops::run(under.operation, input)?;
        match Answer::without_room(result.len(), room) {
            None => Ok(Answer::Bytes(result)),
            Some(answer) => {
                let done: Box<dyn Stream> = Box::new(Done(result));
                *slot = Some(Under { epoch, pieces: under.pieces, ..Under::new(done) });
                Ok(answer)
            }
        }
    }

    /// C_EncryptUpdate and C_DecryptUpdate.
    pub(crate) fn update_cipher(
        &self,
        direction: Direction,
        piece: &[u8],
        room: Option<usize>,
    ) -> Result<Answer> {
        let mut operations = self.session.operations()?;
        let slot = running(&mut operations, direction);
        let under = live(slot, self.slot.epoch())?;
        ensure(!under.asks_pin, CKR_USER_NOT_LOGGED_IN)?;
        let bound = under.operation.update_bound(piece.len());
        if let Some(answer) = Answer::without_room(bound, room) {
            return Ok(answer);
        }
        under.pieces = true;
        let mut output = Zeroizing::new(Vec::with_capacity(bound));
        let done = match under.operation.takes_pieces() {
            true => under.operation.update(piece, &mut output),
            false => Err(Rv(CKR_FUNCTION_NOT_SUPPORTED)),
        };
        if done.is_err() {
            *slot = None;
        }
        done.map(|()| Answer::Bytes(output))
    }
}
