package dicom

import (
	"fmt"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// pixelFormat is how one file stores its pixels: PS3.3 C.7.6.3 and PS3.5 8.
type pixelFormat struct {
	syntax        syntax
	photometric   string
	height, width int // px
	channels      int // samples per pixel as stored
	planar        bool
	bitsAllocated int // 8 or 16
	bitsStored    int
	highBit       int
	signed        bool
	swapped       bool // bytes come in big-endian 16-bit words of two 8-bit samples

	palette *palette // PALETTE COLOR only
	window  window   // grey of more than 8 bits only

	data   span // native pixel data
	frames [][]span
}

func newPixelFormat(h header, l *layout, photometric string, frames int) (pixelFormat, error) {
	p := pixelFormat{syntax: l.syntax, photometric: photometric}
	var planar, signed int
	for _, f := range []struct {
		to              *int
		tag             tag.Tag
		missing, lo, hi int
	}{
		{&p.height, tag.Rows, 0, 1, 1 << 16},
		{&p.width, tag.Columns, 0, 1, 1 << 16},
		{&p.channels, tag.SamplesPerPixel, 1, 1, 3},
		{&p.bitsAllocated, tag.BitsAllocated, 0, 8, 16},
		{&planar, tag.PlanarConfiguration, 0, 0, 1},
		{&signed, tag.PixelRepresentation, 0, 0, 1},
	} {
		var err error
		if *f.to, err = h.whole(f.tag, f.missing, f.lo, f.hi); err != nil {
			return p, err
		}
	}
	var err error
	if p.bitsStored, err = h.whole(tag.BitsStored, p.bitsAllocated, 1, p.bitsAllocated); err != nil {
		return p, err
	}
	if p.highBit, err = h.whole(tag.HighBit, p.bitsStored-1, p.bitsStored-1, p.bitsAllocated-1); err != nil {
		return p, err
	}
	p.planar, p.signed = planar == 1, signed == 1
	if p.width > maxFramePixels/p.height {
		return p, fmt.Errorf("a picture of %d x %d pixels is above the limit of %d; export the screen at its own size", p.width, p.height, maxFramePixels)
	}
	switch want, known := photometrics[photometric]; {
	case !known:
		return p, fmt.Errorf("photometric interpretation %q is not read; export in grey, RGB or YBR_FULL", printable(photometric))
	case want != p.channels:
		return p, fmt.Errorf("photometric interpretation %s with %d samples per pixel; the file is damaged, export it again", photometric, p.channels)
	case p.bitsAllocated != 8 && p.bitsAllocated != 16:
		return p, fmt.Errorf("%d bits allocated per sample are not read; export with 8 or 16", p.bitsAllocated)
	case p.channels == 3 && p.signed:
		return p, fmt.Errorf("signed colour samples; the file is damaged, export it again")
	case isYBR(photometric) && (p.bitsStored != 8 || p.bitsAllocated != 8):
		return p, fmt.Errorf("%s of %d bits in %d is not read; export with 8 in 8", photometric, p.bitsStored, p.bitsAllocated)
	case l.syntax.uid == jpegBaseline && p.bitsStored != 8:
		return p, fmt.Errorf("%d bits stored of baseline JPEG, which has 8; the file is damaged, export it again", p.bitsStored)
	}
	switch {
	case photometric == paletteColour:
		p.palette, err = readPalette(h)
	case p.channels == 1 && p.bitsStored > 8:
		p.window = readWindow(h)
	}
	if err != nil {
		return p, err
	}
	p.swapped = l.syntax.uid == explicitBig && p.bitsAllocated == 8 && l.pixels.vr == "OW"
	return p, p.locate(l, frames)
}

// Photometric interpretations read and their samples per pixel, PS3.3 C.7.6.3.1.2.
const (
	monochrome1   = "MONOCHROME1" // 0 is white
	monochrome2   = "MONOCHROME2"
	paletteColour = "PALETTE COLOR"
	rgb           = "RGB"
	ybrFull       = "YBR_FULL"
	ybrFull422    = "YBR_FULL_422"
)

var photometrics = map[string]int{monochrome1: 1, monochrome2: 1, paletteColour: 1, rgb: 3, ybrFull: 3, ybrFull422: 3}

func isYBR(photometric string) bool { return photometric == ybrFull || photometric == ybrFull422 }

// channelsOut are those of a decoded frame.
func (p *pixelFormat) channelsOut() int {
	if p.photometric == monochrome1 || p.photometric == monochrome2 {
		return 1
	}
	return 3
}

// nativeBytes is the size of one uncompressed frame. YBR_FULL_422 shares its
// chroma between two neighbours.
func (p *pixelFormat) nativeBytes() int64 {
	n := int64(p.height) * int64(p.width) * int64(p.bitsAllocated/8)
	if p.photometric == ybrFull422 {
		return 2 * n
	}
	return n * int64(p.channels)
}

// locate finds every frame in the file.
func (p *pixelFormat) locate(l *layout, frames int) error {
	if l.pixels.length != undefinedLength {
		if p.syntax.encapsulated() {
			return fmt.Errorf("pixel data under %s are not in fragments; the file is damaged, export it again", p.syntax.name)
		}
		p.data = span{l.pixels.value, int64(l.pixels.length)}
		if need := p.nativeBytes() * int64(frames); need > p.data.length {
			return fmt.Errorf("%d frames take %d bytes of pixel data, the file has %d: %w", frames, need, p.data.length, errTruncated)
		}
		if p.photometric == ybrFull422 && p.width%2 == 1 {
			return fmt.Errorf("YBR_FULL_422 of odd width %d; the file is damaged, export it again", p.width)
		}
		return nil
	}
	p.frames = groupFragments(l, frames)
	if p.frames == nil {
		return fmt.Errorf("%d fragments of pixel data cannot be told apart into %d frames: the offset table is missing or wrong; export the file again", len(l.fragments), frames)
	}
	for _, parts := range p.frames {
		var n int64
		for _, s := range parts {
			n += s.length
		}
		if n > maxFrameBytes {
			return fmt.Errorf("a compressed frame of %d bytes is above the limit of %d; the file is damaged, export it again", n, maxFrameBytes)
		}
	}
	return nil
}

// groupFragments tells which fragments make which frame, PS3.5 A.4: all of them
// one frame, one each, or by the offset table. nil: it cannot be told.
func groupFragments(l *layout, frames int) [][]span {
	if frames == 1 {
		return [][]span{l.fragments}
	}
	out := make([][]span, 0, min(frames, len(l.fragments)))
	if len(l.fragments) == frames {
		for i := range l.fragments {
			out = append(out, l.fragments[i:i+1])
		}
		return out
	}
	if len(l.offsets) != frames || len(l.fragments) < frames {
		return nil
	}
	begin := 0
	base := l.fragments[0].at
	for k, f := range l.fragments {
		if n := len(out); n+1 < frames && k > begin && f.at-base == int64(l.offsets[n+1]) {
			out = append(out, l.fragments[begin:k])
			begin = k
		}
	}
	if out = append(out, l.fragments[begin:]); len(out) != frames {
		return nil
	}
	return out
}
