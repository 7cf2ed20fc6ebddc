package dicom

import (
	"fmt"
	"io"
)

// Frame decodes frame i, 0-based, to 8-bit grey or RGB. Lossless codings, colour
// palettes and YBR come out as pydicom's do, to the level; JPEG baseline within
// the rounding of its transform (see decodeBaseline). Grey of more than 8 bits
// goes through the file's window, or its full range.
func (im *Image) Frame(i int) (*Frame, error) {
	s, err := im.samples(i)
	if err != nil {
		return nil, fmt.Errorf("reading frame %d of %s: %w", i, im.Name, err)
	}
	return im.pixel.colour(s), nil
}

// samples are the stored values of one frame, before any colour conversion.
func (im *Image) samples(i int) (*samples, error) {
	if i < 0 || i >= im.Frames {
		return nil, fmt.Errorf("the file has frames 0 to %d", im.Frames-1)
	}
	p := &im.pixel
	if p.frames == nil {
		n := p.nativeBytes()
		at := int64(i) * n
		// Big-endian words begin where the pixel data do: an odd frame shares one.
		raw, err := load(im.file, []span{{p.data.at + at&^1, min(n+2, p.data.length-at&^1)}})
		if err != nil {
			return nil, err
		}
		if p.swapped {
			for k := 0; k+1 < len(raw); k += 2 {
				raw[k], raw[k+1] = raw[k+1], raw[k]
			}
		}
		return p.native(raw[at&1:]), nil
	}
	raw, err := load(im.file, p.frames[i])
	if err != nil {
		return nil, err
	}
	switch p.syntax.uid {
	case rleLossless:
		return p.decodeRLE(raw)
	case jpegBaseline:
		return p.decodeBaseline(raw)
	}
	return p.decodeLossless(raw)
}

// load reads the pieces of one frame into one slice.
func load(r io.ReaderAt, parts []span) ([]byte, error) {
	var n int64
	for _, s := range parts {
		n += s.length
	}
	out := make([]byte, 0, n)
	for _, s := range parts {
		b := out[len(out) : len(out)+int(s.length)]
		if got, err := r.ReadAt(b, s.at); got < len(b) {
			return nil, fmt.Errorf("reading pixel data: %w", err)
		}
		out = out[:len(out)+len(b)]
	}
	return out, nil
}
