// Seals and opens a message with SM4-GCM, and shows that a changed one is refused. The handles are
// owned by std::unique_ptr, which frees and wipes them.
//
// Build: c++ -std=c++11 seal.cpp $(pkg-config --cflags --libs gmkit)
#include <gmkit.h>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

class Error : public std::runtime_error {
public:
    explicit Error(gmkit_error code)
        : std::runtime_error(gmkit_last_error_message()), code(code) {}
    gmkit_error code;
};

void check(gmkit_error error) {
    if (error != GMKIT_OK) {
        throw Error(error);
    }
}

using Bytes = std::vector<uint8_t>;
using SecretKey = std::unique_ptr<gmkit_secret_key, decltype(&gmkit_secret_key_free)>;

SecretKey random_key() {
    uint8_t bytes[16];
    gmkit_secret_key *key = nullptr;
    check(gmkit_random(bytes, sizeof bytes));
    check(gmkit_secret_key_new_sm4(bytes, &key));
    return SecretKey(key, gmkit_secret_key_free);
}

Bytes seal(const SecretKey &key, const std::string &message) {
    const auto *data = reinterpret_cast<const uint8_t *>(message.data());
    Bytes out(message.size() + GMKIT_SEAL_OVERHEAD);
    size_t len = out.size();
    check(gmkit_secret_key_seal(key.get(), nullptr, 0, data, message.size(), out.data(), &len));
    out.resize(len);
    return out;
}

std::string open(const SecretKey &key, const Bytes &sealed) {
    size_t len = sealed.size();
    Bytes out(len + 1); // never empty: a NULL output would only ask for the size
    len = out.size();
    check(gmkit_secret_key_open(key.get(), nullptr, 0, sealed.data(), sealed.size(), out.data(),
                                &len));
    return std::string(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(len));
}

} // namespace

int main() {
    try {
        const SecretKey key = random_key();
        Bytes sealed = seal(key, "attack at dawn");
        std::cout << open(key, sealed) << '\n';
        sealed[20] ^= 1;
        try {
            open(key, sealed);
        } catch (const Error &error) {
            std::cout << "a changed one: " << error.what() << '\n';
            return error.code == GMKIT_ERR_REJECTED ? 0 : 1;
        }
    } catch (const std::exception &error) {
        std::cerr << error.what() << '\n';
    }
    return 1;
}
