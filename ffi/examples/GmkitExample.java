import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Signs and verifies a file from Java, through JNA. size_t is a long here: 64-bit systems only.
 *
 * <pre>java -cp jna.jar:. GmkitExample LIBGMKIT KEY.pem PUBLIC.pem FILE SIGNATURE</pre>
 */
public final class GmkitExample {
    /** The functions of gmkit.h that this example uses. */
    public interface Gmkit extends Library {
        int OK = 0;
        int REJECTED = 10;
        int SIGNATURE_DER = 0;
        int SIGNATURE_MAX = 72;

        String gmkit_version();

        String gmkit_last_error_message();

        int gmkit_private_key_open(String uri, byte[] passphrase, long length, PointerByReference key);

        void gmkit_private_key_free(Pointer key);

        int gmkit_public_key_read(byte[] file, long length, PointerByReference key);

        void gmkit_public_key_free(Pointer key);

        int gmkit_sm2_signer_new(Pointer key, byte[] id, long idLength, PointerByReference signer);

        int gmkit_sm2_signer_update(Pointer signer, byte[] piece, long length);

        int gmkit_sm2_signer_finish(Pointer signer, int form, byte[] out, long[] outLength);

        void gmkit_sm2_signer_free(Pointer signer);

        int gmkit_sm2_verify(Pointer key, byte[] id, long idLength, byte[] message, long length,
                int form, byte[] signature, long signatureLength);
    }

    private final Gmkit gmkit;

    private GmkitExample(String library) {
        gmkit = Native.load(library, Gmkit.class);
    }

    private void check(int error) {
        if (error != Gmkit.OK) {
            throw new IllegalStateException(error + ": " + gmkit.gmkit_last_error_message());
        }
    }

    private byte[] sign(String keyPath, byte[] message) {
        PointerByReference key = new PointerByReference();
        PointerByReference signer = new PointerByReference();
        try {
            check(gmkit.gmkit_private_key_open(keyPath, null, 0, key));
            check(gmkit.gmkit_sm2_signer_new(key.getValue(), null, 0, signer));
            check(gmkit.gmkit_sm2_signer_update(signer.getValue(), message, message.length));
            byte[] out = new byte[Gmkit.SIGNATURE_MAX];
            long[] length = {out.length};
            check(gmkit.gmkit_sm2_signer_finish(signer.getValue(), Gmkit.SIGNATURE_DER, out, length));
            return Arrays.copyOf(out, (int) length[0]);
        } finally {
            gmkit.gmkit_sm2_signer_free(signer.getValue());
            gmkit.gmkit_private_key_free(key.getValue());
        }
    }

    private int verify(byte[] pem, byte[] message, byte[] signature) {
        PointerByReference key = new PointerByReference();
        try {
            check(gmkit.gmkit_public_key_read(pem, pem.length, key));
            return gmkit.gmkit_sm2_verify(key.getValue(), null, 0, message, message.length,
                    Gmkit.SIGNATURE_DER, signature, signature.length);
        } finally {
            gmkit.gmkit_public_key_free(key.getValue());
        }
    }

    public static void main(String[] args) throws Exception {
        GmkitExample example = new GmkitExample(args[0]);
        System.out.println("gmkit " + example.gmkit.gmkit_version());
        byte[] pem = Files.readAllBytes(Path.of(args[2]));
        byte[] message = Files.readAllBytes(Path.of(args[3]));
        byte[] signature = example.sign(args[1], message);
        Files.write(Path.of(args[4]), signature);
        example.check(example.verify(pem, message, signature));
        message[0] ^= 1;
        if (example.verify(pem, message, signature) != Gmkit.REJECTED) {
            throw new AssertionError("a changed message was accepted");
        }
        System.out.println("java: ok");
    }
}
