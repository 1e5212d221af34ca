// A centre's signature of a beam model: Ed25519 (RFC 8032) of the content hash, kept in the file beside the
// hash.
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstdio>
#include <memory>

#include "io/hdf5/hdf5_file.h"
#include "libdose/error.h"
#include "libdose/io/hdf5.h"

namespace libdose::io {

namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

Key read_key(const std::filesystem::path& file, bool secret) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "rb"), std::fclose);
    if (!stream) throw bad_input("the key cannot be read", file.string());
    Key key(secret ? PEM_read_PrivateKey(stream.get(), nullptr, nullptr, nullptr)
                   : PEM_read_PUBKEY(stream.get(), nullptr, nullptr, nullptr),
            EVP_PKEY_free);
    if (!key || EVP_PKEY_id(key.get()) != EVP_PKEY_ED25519)
        throw bad_input(
            std::string("this is not a ") + (secret ? "private" : "public") + " Ed25519 key in PEM",
            file.string(),
            "Make one with: openssl genpkey -algorithm ed25519 -out key.pem; openssl pkey -in key.pem "
            "-pubout -out public.pem");
    return key;
}

std::string hexadecimal(const std::vector<unsigned char>& bytes) {
    std::string text;
    for (const unsigned char byte : bytes) {
        char pair[3];
        std::snprintf(pair, sizeof pair, "%02x", byte);
        text += pair;
    }
    return text;
}

std::vector<unsigned char> from_hexadecimal(const std::string& text) {
    std::vector<unsigned char> bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        bytes.push_back(static_cast<unsigned char>(std::strtoul(text.substr(i, 2).c_str(), nullptr, 16)));
    return bytes;
}

}  // namespace

std::string sign_hash(const std::string& hash, const std::filesystem::path& private_key) {
    const Key key = read_key(private_key, true);
    const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    std::size_t length = 0;
    const auto* data = reinterpret_cast<const unsigned char*>(hash.data());
    if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
        EVP_DigestSign(context.get(), nullptr, &length, data, hash.size()) != 1)
        throw internal_error("the hash cannot be signed", private_key.string());
    std::vector<unsigned char> signature(length);
    if (EVP_DigestSign(context.get(), signature.data(), &length, data, hash.size()) != 1)
        throw internal_error("the hash cannot be signed", private_key.string());
    signature.resize(length);
    return hexadecimal(signature);
}

bool signature_holds(const std::string& hash, const std::string& signature,
                     const std::filesystem::path& public_key) {
    const Key key = read_key(public_key, false);
    const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    const std::vector<unsigned char> bytes = from_hexadecimal(signature);
    return context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
           EVP_DigestVerify(context.get(), bytes.data(), bytes.size(),
                            reinterpret_cast<const unsigned char*>(hash.data()), hash.size()) == 1;
}

}  // namespace libdose::io
