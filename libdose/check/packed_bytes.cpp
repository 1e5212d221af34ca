// Bytes as text: gzip by zlib, base64 by OpenSSL.
#include "check/packed_bytes.h"

#include <openssl/evp.h>
#include <zlib.h>

#include "libdose/error.h"

namespace libdose::check {

namespace {

std::string gzip(const std::string& bytes) {
    z_stream stream{};
    const int gzip_window = 15 + 16;  // 32 KiB with a gzip header
    if (deflateInit2(&stream, 6, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        throw internal_error("zlib cannot be started");
    std::string out(deflateBound(&stream, bytes.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int status = deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    if (status != Z_STREAM_END) throw internal_error("zlib cannot pack a volume");
    return out;
}

}  // namespace

std::string packed(const std::string& bytes) {
    const std::string zipped = gzip(bytes);
    std::string text(4 * ((zipped.size() + 2) / 3) + 1, '\0');
    const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                       reinterpret_cast<const unsigned char*>(zipped.data()),
                                       static_cast<int>(zipped.size()));
    text.resize(static_cast<std::size_t>(length));
    return text;
}

}  // namespace libdose::check
