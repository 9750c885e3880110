"""Signs and verifies a file, and seals a message, from Python with nothing but ctypes.

    python3 gmkit_example.py LIBGMKIT KEY.pem PUBLIC.pem FILE SIGNATURE

LIBGMKIT is the path of libgmkit.so.0. The signature is written, and can be checked by any SM2
implementation.
"""

import ctypes
import sys
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint32, c_void_p

OK, REJECTED, HANDLE = 0, 10, 4
SIGNATURE_DER = 0
SEAL_OVERHEAD = 28


class GmkitError(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Gmkit:
    """The functions that this example uses, with their types: ctypes guesses wrong without."""

    SIGNATURES = {
        "gmkit_private_key_open": [c_char_p, c_char_p, c_size_t, POINTER(c_void_p)],
        "gmkit_private_key_free": [c_void_p],
        "gmkit_public_key_read": [c_char_p, c_size_t, POINTER(c_void_p)],
        "gmkit_public_key_free": [c_void_p],
        "gmkit_sm2_sign": [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, c_uint32, c_char_p,
                           POINTER(c_size_t)],
        "gmkit_sm2_verify": [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, c_uint32, c_char_p,
                             c_size_t],
        "gmkit_random": [c_char_p, c_size_t],
        "gmkit_secret_key_new_sm4": [c_char_p, POINTER(c_void_p)],
        "gmkit_secret_key_seal": [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, c_char_p,
                                  POINTER(c_size_t)],
        "gmkit_secret_key_open": [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, c_char_p,
                                  POINTER(c_size_t)],
        "gmkit_secret_key_free": [c_void_p],
    }

    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        self.lib.gmkit_last_error_message.restype = c_char_p
        self.lib.gmkit_version.restype = c_char_p
        for name, arguments in self.SIGNATURES.items():
            function = getattr(self.lib, name)
            function.argtypes = arguments
            function.restype = None if name.endswith("_free") else c_int

    def call(self, name, *arguments):
        code = getattr(self.lib, name)(*arguments)
        if code != OK:
            raise GmkitError(code, self.lib.gmkit_last_error_message().decode())

    def sized(self, name, room, *arguments):
        """A function that ends with `out, out_len`."""
        out, length = ctypes.create_string_buffer(room), c_size_t(room)
        self.call(name, *arguments, out, byref(length))
        return out.raw[: length.value]

    def handle(self, name, *arguments):
        """A function that ends with a new handle."""
        handle = c_void_p()
        self.call(name, *arguments, byref(handle))
        return handle


def must_fail(code, function, *arguments):
    try:
        function(*arguments)
    except GmkitError as error:
        assert error.code == code, error
        print("refused:", error)
        return
    raise AssertionError("not refused")


def main():
    path, key_path, public_path, file_path, signature_path = sys.argv[1:]
    gmkit = Gmkit(path)
    print("gmkit", gmkit.lib.gmkit_version().decode())

    message = open(file_path, "rb").read()
    key = gmkit.handle("gmkit_private_key_open", key_path.encode(), None, 0)
    signature = gmkit.sized("gmkit_sm2_sign", 72, key, None, 0, message, len(message),
                            SIGNATURE_DER)
    open(signature_path, "wb").write(signature)

    pem = open(public_path, "rb").read()
    public = gmkit.handle("gmkit_public_key_read", pem, len(pem))

    def verify(text):
        gmkit.call("gmkit_sm2_verify", public, None, 0, text, len(text), SIGNATURE_DER, signature,
                   len(signature))

    verify(message)
    must_fail(REJECTED, verify, message + b"!")
    # To ctypes all handles look alike. To the library they do not.
    must_fail(HANDLE, lambda: gmkit.call("gmkit_secret_key_open", public, None, 0, b"", 0, b"x",
                                         byref(c_size_t(1))))

    random = ctypes.create_string_buffer(16)
    gmkit.call("gmkit_random", random, 16)
    secret = gmkit.handle("gmkit_secret_key_new_sm4", random)
    sealed = gmkit.sized("gmkit_secret_key_seal", len(message) + SEAL_OVERHEAD, secret, b"header",
                         6, message, len(message))
    opened = gmkit.sized("gmkit_secret_key_open", len(message) + 1, secret, b"header", 6, sealed,
                         len(sealed))
    assert opened == message
    must_fail(REJECTED, gmkit.sized, "gmkit_secret_key_open", len(message) + 1, secret, b"Header",
              6, sealed, len(sealed))

    gmkit.lib.gmkit_secret_key_free(secret)
    gmkit.lib.gmkit_public_key_free(public)
    gmkit.lib.gmkit_private_key_free(key)
    print("python: ok")


main()
