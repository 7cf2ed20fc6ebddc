// Package rle decodes the run-length coding of DICOM, PS3.5 annex G: a header
// of segment offsets, then byte segments packed as Apple's PackBits. It knows
// segments, not pixels.
package rle

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	headerBytes = 64
	maxSegments = 15 // what the header has room for
)

// ErrDamaged marks a stream that is no RLE coding of what was asked for.
var ErrDamaged = errors.New("damaged RLE data; export the file again")

// Decode expands exactly segments segments of size bytes each. A segment that
// ends early or lies outside src is an error; bytes after its end (padding) are
// not looked at. Memory: what it returns.
func Decode(src []byte, segments, size int) ([][]byte, error) {
	if segments < 1 || segments > maxSegments || size < 1 {
		return nil, fmt.Errorf("%d segments of %d bytes: %w", segments, size, ErrDamaged)
	}
	if len(src) < headerBytes {
		return nil, fmt.Errorf("%d bytes hold no header: %w", len(src), ErrDamaged)
	}
	if n := binary.LittleEndian.Uint32(src); n != uint32(segments) {
		return nil, fmt.Errorf("%d segments where the picture needs %d: %w", n, segments, ErrDamaged)
	}
	// The best a coded pair of bytes can do is 128: refuse what cannot be enough
	// before taking memory for it.
	if size > 64*len(src) {
		return nil, fmt.Errorf("%d bytes cannot hold segments of %d: %w", len(src), size, ErrDamaged)
	}
	out := make([][]byte, segments)
	for i := range out {
		begin := int64(binary.LittleEndian.Uint32(src[4+4*i:]))
		end := int64(len(src))
		if i+1 < segments {
			end = int64(binary.LittleEndian.Uint32(src[8+4*i:]))
		}
		if begin < headerBytes || end < begin || end > int64(len(src)) {
			return nil, fmt.Errorf("segment %d from byte %d to %d of %d: %w", i, begin, end, len(src), ErrDamaged)
		}
		out[i] = make([]byte, size)
		if n := expand(out[i], src[begin:end]); n < size {
			return nil, fmt.Errorf("segment %d ends after %d of %d bytes: %w", i, n, size, ErrDamaged)
		}
	}
	return out, nil
}

// expand unpacks src into dst until either ends, and returns how many bytes it
// wrote.
func expand(dst, src []byte) int {
	n := 0
	for n < len(dst) && len(src) > 1 {
		switch c := int(int8(src[0])); {
		case c >= 0: // the next c+1 bytes as they are
			k := min(c+1, len(src)-1)
			n += copy(dst[n:], src[1:1+k])
			src = src[1+k:]
		case c == -128: // no operation
			src = src[1:]
		default: // the next byte 1-c times
			k := min(1-c, len(dst)-n)
			for i := range k {
				dst[n+i] = src[1]
			}
			n += k
			src = src[2:]
		}
	}
	return n
}
