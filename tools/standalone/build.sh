#!/bin/sh
# In a folder of Debian 11: builds the Python of the one file from /python.tar.xz into /out. Libraries that other systems lack are brought along.
set -eu
rm -rf /src /out
mkdir /src
tar -xJf /python.tar.xz -C /src --strip-components=1
cd /src
LDFLAGS='-Wl,-rpath,\$$ORIGIN/../lib -Wl,--as-needed' ./configure --quiet --prefix=/python --without-ensurepip --without-static-libpython \
    --disable-test-modules --without-doc-strings > /src/said 2>&1 && make -s -j"$(nproc)" >> /src/said 2>&1 && make -s install DESTDIR=/out >> /src/said 2>&1 || {
    tail -n 20 /src/said
    exit 1
}
for name in libssl.so.1.1 libcrypto.so.1.1 libffi.so.7 libbz2.so.1.0 liblzma.so.5 libz.so.1; do
    cp -L "$(ldconfig -p | sed -n "s/^\t$name (libc6,x86-64) => //p" | head -n 1)" /out/python/lib/
done
# Modules look for them two folders up, the program one.
for module in /out/python/lib/python3.*/lib-dynload/*.so; do
    patchelf --set-rpath '$ORIGIN/../..' "$module"
done
for library in /out/python/lib/*.so.*; do
    patchelf --set-rpath '$ORIGIN' "$library"
done
