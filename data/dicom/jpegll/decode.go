package jpegll

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrDamaged marks a stream that is no whole lossless JPEG picture.
var ErrDamaged = errors.New("damaged lossless JPEG; export the file again")

// Picture is a decoded picture.
type Picture struct {
	Height, Width int // px
	Components    int
	Precision     int      // bits a sample, 2 to 16
	Samples       []uint16 // [Height, Width, Components]
}

// Markers, T.81 table B.1.
const (
	markerSOF3 = 0xC3
	markerDHT  = 0xC4
	markerRST0 = 0xD0
	markerRST7 = 0xD7
	markerSOI  = 0xD8
	markerEOI  = 0xD9
	markerSOS  = 0xDA
	markerDNL  = 0xDC
	markerDRI  = 0xDD
	markerTEM  = 0x01
)

// decoder is the state between markers.
type decoder struct {
	src       []byte
	maxPixels int
	pic       *Picture
	ids       []byte    // component identifiers, in frame order
	seen      []bool    // components that a scan has brought
	tables    [4]*table // Huffman tables of class DC
	restart   int       // samples per component between restart markers, 0: none
}

// Decode decodes one picture of at most maxPixels pixels; what follows it in
// src is not looked at. Memory is the samples, taken when the stream is long
// enough to hold them.
func Decode(src []byte, maxPixels int) (*Picture, error) {
	d := decoder{src: src, maxPixels: maxPixels}
	if len(src) < 2 || src[0] != 0xFF || src[1] != markerSOI {
		return nil, fmt.Errorf("no start of image: %w", ErrDamaged)
	}
	d.src = src[2:]
	for {
		marker, segment, err := d.next()
		if err != nil {
			return nil, err
		}
		switch {
		case marker == markerEOI:
			return d.finish()
		case marker == markerSOF3:
			err = d.frame(segment)
		case marker == markerDHT:
			err = d.huffman(segment)
		case marker == markerDRI:
			if len(segment) != 2 {
				return nil, fmt.Errorf("restart interval of %d bytes: %w", len(segment), ErrDamaged)
			}
			d.restart = int(binary.BigEndian.Uint16(segment))
		case marker == markerSOS:
			err = d.scan(segment)
			if err == nil && d.whole() { // an end marker may be missing
				return d.finish()
			}
		case marker >= 0xC0 && marker <= 0xCF && marker != 0xC8 && marker != 0xCC, marker == markerDNL:
			return nil, fmt.Errorf("marker %#02x: the stream is not lossless JPEG of process 14 with a known height; export without compression", marker)
		}
		if err != nil {
			return nil, err
		}
	}
}

// next returns the next marker and its segment.
func (d *decoder) next() (marker byte, segment []byte, err error) {
	s := d.src
	if len(s) < 2 || s[0] != 0xFF {
		return 0, nil, fmt.Errorf("no marker where one should be: %w", ErrDamaged)
	}
	for len(s) > 1 && s[1] == 0xFF { // fill bytes
		s = s[1:]
	}
	if len(s) < 2 {
		return 0, nil, fmt.Errorf("the stream ends in a marker: %w", ErrDamaged)
	}
	marker, s = s[1], s[2:]
	if marker == markerEOI || marker == markerTEM || marker >= markerRST0 && marker <= markerSOI {
		d.src = s
		return marker, nil, nil
	}
	if len(s) < 2 {
		return 0, nil, fmt.Errorf("marker %#02x has no length: %w", marker, ErrDamaged)
	}
	n := int(binary.BigEndian.Uint16(s))
	if n < 2 || n > len(s) {
		return 0, nil, fmt.Errorf("marker %#02x claims %d bytes of %d: %w", marker, n, len(s), ErrDamaged)
	}
	d.src = s[n:]
	return marker, s[2:n], nil
}

// frame reads the frame header, T.81 B.2.2.
func (d *decoder) frame(b []byte) error {
	if d.pic != nil {
		return fmt.Errorf("a second frame header: %w", ErrDamaged)
	}
	if len(b) < 6 || len(b) != 6+3*int(b[5]) {
		return fmt.Errorf("frame header of %d bytes: %w", len(b), ErrDamaged)
	}
	p := &Picture{
		Precision:  int(b[0]),
		Height:     int(binary.BigEndian.Uint16(b[1:])),
		Width:      int(binary.BigEndian.Uint16(b[3:])),
		Components: int(b[5]),
	}
	if p.Precision < 2 || p.Precision > 16 || p.Components < 1 || p.Components > 4 || p.Height == 0 || p.Width == 0 {
		return fmt.Errorf("frame of %d x %d pixels, %d components of %d bits: %w", p.Width, p.Height, p.Components, p.Precision, ErrDamaged)
	}
	if p.Width > d.maxPixels/p.Height {
		return fmt.Errorf("frame of %d x %d pixels where at most %d are expected: %w", p.Width, p.Height, d.maxPixels, ErrDamaged)
	}
	for c := range p.Components {
		if sampling := b[6+3*c+1]; sampling != b[7] || sampling == 0 {
			return fmt.Errorf("subsampled components are not read in lossless JPEG; export without compression")
		}
		d.ids = append(d.ids, b[6+3*c])
	}
	// A sample takes a bit at least: refuse a bomb before taking memory.
	if n := p.Height * p.Width * p.Components; n > 8*len(d.src) {
		return fmt.Errorf("%d bytes cannot hold %d samples: %w", len(d.src), n, ErrDamaged)
	} else {
		p.Samples = make([]uint16, n)
	}
	d.pic, d.seen = p, make([]bool, p.Components)
	return nil
}

// huffman reads Huffman tables, T.81 B.2.4.2.
func (d *decoder) huffman(b []byte) error {
	for len(b) > 0 {
		if len(b) < 17 || b[0]>>4 != 0 || b[0] > 3 { // lossless has tables of class 0 only
			return fmt.Errorf("Huffman table: %w", ErrDamaged)
		}
		t, used, err := newTable(b[1:])
		if err != nil {
			return err
		}
		d.tables[b[0]] = t
		b = b[1+used:]
	}
	return nil
}

func (d *decoder) whole() bool {
	for _, s := range d.seen {
		if !s {
			return false
		}
	}
	return d.pic != nil
}

func (d *decoder) finish() (*Picture, error) {
	if !d.whole() {
		return nil, fmt.Errorf("the stream ends before all components: %w", ErrDamaged)
	}
	return d.pic, nil
}
