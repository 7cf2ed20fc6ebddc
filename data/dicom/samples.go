package dicom

import (
	"fmt"

	"elastography/data/dicom/jpegll"
	"elastography/data/dicom/rle"
	"elastography/data/jpegdct"
)

// samples are the stored values of one frame.
type samples struct {
	values []uint16         // [height, width, channels]
	rgb    bool             // the decoder made RGB of them, whatever the header says
	coded  *jpegdct.Picture // what JPEG coded, colours perhaps at half the resolution; nil for other codings
}

func (p *pixelFormat) newSamples() *samples {
	return &samples{values: make([]uint16, p.height*p.width*p.channels)}
}

// native unpacks an uncompressed frame of at least nativeBytes bytes.
func (p *pixelFormat) native(raw []byte) *samples {
	s := p.newSamples()
	order := p.syntax.order()
	if p.photometric == ybrFull422 { // Y Y Cb Cr for two neighbours
		for i := 0; i < p.height*p.width; i += 2 {
			y0, y1, cb, cr := raw[2*i], raw[2*i+1], raw[2*i+2], raw[2*i+3]
			for k, v := range [6]uint8{y0, cb, cr, y1, cb, cr} {
				s.values[3*i+k] = uint16(v)
			}
		}
		return s
	}
	n := p.height * p.width
	pixel, channel := p.channels, 1 // steps through raw, samples
	if p.planar {
		pixel, channel = 1, n
	}
	shift := p.highBit + 1 - p.bitsStored
	mask := uint16(1<<p.bitsStored - 1)
	for i := range n {
		for c := range p.channels {
			at := i*pixel + c*channel
			var v uint16
			if p.bitsAllocated == 8 {
				v = uint16(raw[at])
			} else {
				v = order.Uint16(raw[2*at:])
			}
			s.values[i*p.channels+c] = v >> shift & mask // bits beside the stored ones may hold overlays
		}
	}
	return s
}

// decodeRLE expands one frame, PS3.5 annex G: a segment per byte of a sample,
// most significant first, channel after channel.
func (p *pixelFormat) decodeRLE(raw []byte) (*samples, error) {
	n, bytes := p.height*p.width, p.bitsAllocated/8
	if p.photometric == ybrFull422 {
		return nil, fmt.Errorf("YBR_FULL_422 under RLE Lossless is no combination of the standard; export again")
	}
	planes, err := rle.Decode(raw, p.channels*bytes, n)
	if err != nil {
		return nil, fmt.Errorf("RLE: %w", err)
	}
	s := p.newSamples()
	shift := p.highBit + 1 - p.bitsStored
	mask := uint16(1<<p.bitsStored - 1)
	for c := range p.channels {
		for i := range n {
			v := uint16(planes[c*bytes][i])
			if bytes == 2 {
				v = v<<8 | uint16(planes[c*bytes+1][i])
			}
			s.values[i*p.channels+c] = v >> shift & mask
		}
	}
	return s, nil
}

// decodeLossless decodes JPEG lossless, process 14.
func (p *pixelFormat) decodeLossless(raw []byte) (*samples, error) {
	pic, err := jpegll.Decode(raw, p.height*p.width)
	if err != nil {
		return nil, fmt.Errorf("JPEG lossless: %w", err)
	}
	switch {
	case pic.Height != p.height || pic.Width != p.width || pic.Components != p.channels:
		return nil, fmt.Errorf("JPEG lossless: the stream has %d x %d pixels of %d components, the header %d x %d of %d; the file is damaged, export it again",
			pic.Width, pic.Height, pic.Components, p.width, p.height, p.channels)
	case pic.Precision > p.bitsAllocated:
		return nil, fmt.Errorf("JPEG lossless: the stream has %d bits, the header %d; the file is damaged, export it again", pic.Precision, p.bitsAllocated)
	}
	mask := uint16(1<<p.bitsStored - 1)
	for i := range pic.Samples {
		pic.Samples[i] &= mask
	}
	return &samples{values: pic.Samples}, nil
}
