/* Signs a file and verifies it with SM2, in pieces.
 *
 *   sign sign KEY.pem FILE SIGNATURE        sign verify PUBLIC.pem FILE SIGNATURE
 *
 * The exit codes are those of the gmkit command: 0 true, 1 the signature does not fit, 2 anything
 * else. Build: cc -std=c99 sign.c $(pkg-config --cflags --libs gmkit) */
#include <gmkit.h>
#include <stdio.h>
#include <string.h>

static int failed(const char *what) {
    fprintf(stderr, "%s: %s\n", what, gmkit_last_error_message());
    return 2;
}

static size_t read_small(const char *path, uint8_t *buffer, size_t room) {
    FILE *file = fopen(path, "rb");
    size_t len = 0;
    if (file != NULL) {
        len = fread(buffer, 1, room, file);
        fclose(file);
    }
    return len;
}

static int sign(const char *key_path, FILE *file, const char *signature_path) {
    gmkit_private_key *key = NULL;
    gmkit_sm2_signer *signer = NULL;
    uint8_t piece[65536], signature[GMKIT_SIGNATURE_MAX];
    size_t len, signature_len = sizeof signature;
    int result = 2;
    if (gmkit_private_key_open(key_path, NULL, 0, &key) != GMKIT_OK ||
        gmkit_sm2_signer_new(key, NULL, 0, &signer) != GMKIT_OK) {
        result = failed(key_path);
        goto done;
    }
    while ((len = fread(piece, 1, sizeof piece, file)) > 0) {
        if (gmkit_sm2_signer_update(signer, piece, len) != GMKIT_OK) {
            result = failed("update");
            goto done;
        }
    }
    if (ferror(file)) {
        perror("read");
        goto done;
    }
    if (gmkit_sm2_signer_finish(signer, GMKIT_SIGNATURE_DER, signature, &signature_len) !=
        GMKIT_OK) {
        result = failed("sign");
        goto done;
    }
    FILE *out = fopen(signature_path, "wb");
    if (out != NULL && fwrite(signature, 1, signature_len, out) == signature_len) {
        result = 0;
    }
    if (out != NULL && fclose(out) != 0) {
        result = 2;
    }
done:
    gmkit_sm2_signer_free(signer);
    gmkit_private_key_free(key);
    return result;
}

static int verify(const char *key_path, FILE *file, const char *signature_path) {
    gmkit_public_key *key = NULL;
    gmkit_sm2_verifier *verifier = NULL;
    uint8_t piece[65536], pem[4096], signature[256];
    size_t len = read_small(key_path, pem, sizeof pem);
    size_t signature_len = read_small(signature_path, signature, sizeof signature);
    int result = 2;
    if (gmkit_public_key_read(pem, len, &key) != GMKIT_OK ||
        gmkit_sm2_verifier_new(key, NULL, 0, &verifier) != GMKIT_OK) {
        result = failed(key_path);
        goto done;
    }
    while ((len = fread(piece, 1, sizeof piece, file)) > 0) {
        if (gmkit_sm2_verifier_update(verifier, piece, len) != GMKIT_OK) {
            result = failed("update");
            goto done;
        }
    }
    if (ferror(file)) {
        perror("read");
        goto done;
    }
    /* Only GMKIT_OK means yes. */
    gmkit_error error =
        gmkit_sm2_verifier_finish(verifier, GMKIT_SIGNATURE_DER, signature, signature_len);
    if (error != GMKIT_OK) {
        failed(signature_path);
    }
    if (error == GMKIT_OK) {
        result = 0;
    } else if (error == GMKIT_ERR_REJECTED) {
        result = 1;
    }
done:
    gmkit_sm2_verifier_free(verifier);
    gmkit_public_key_free(key);
    return result;
}

int main(int argc, char **argv) {
    int result = 2;
    if (argc != 5) {
        fprintf(stderr, "usage: %s sign|verify KEY FILE SIGNATURE\n", argv[0]);
        return 2;
    }
    FILE *file = fopen(argv[3], "rb");
    if (file == NULL) {
        perror(argv[3]);
        return 2;
    }
    if (strcmp(argv[1], "sign") == 0) {
        result = sign(argv[2], file, argv[4]);
    } else if (strcmp(argv[1], "verify") == 0) {
        result = verify(argv[2], file, argv[4]);
    }
    fclose(file);
    return result;
}
