package dicom

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"

	"elastography/data/jpegdct"
)

// decodeBaseline decodes 8-bit baseline JPEG with the standard library, chroma
// interpolated as libjpeg does it. The two round their transforms differently:
// on the real files of real_test.go RGB differs by at most 3 levels, and in 99 %
// of all values not at all.
func (p *pixelFormat) decodeBaseline(raw []byte) (*samples, error) {
	if err := checkSequential(raw); err != nil {
		return nil, fmt.Errorf("JPEG: %w", err)
	}
	cfg, err := jpeg.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("JPEG: %w; the file is damaged, export it again", err)
	}
	if cfg.Height != p.height || cfg.Width != p.width {
		return nil, fmt.Errorf("JPEG: the stream has %d x %d pixels, the header %d x %d; the file is damaged, export it again", cfg.Width, cfg.Height, p.width, p.height)
	}
	pic, err := jpegdct.Decode(raw)
	if err != nil {
		return nil, fmt.Errorf("JPEG: %w; the file is damaged, export it again", err)
	}
	s := p.newSamples()
	switch pic := pic.(type) {
	case *image.Gray:
		if p.channels == 1 {
			for y := range p.height {
				for x, v := range pic.Pix[y*pic.Stride:][:p.width] {
					s.values[y*p.width+x] = uint16(v)
				}
			}
			return s, nil
		}
	case *jpegdct.Picture:
		if p.channels == 3 {
			p.upsample(s, pic.YCbCr)
			s.coded = pic
			return s, nil
		}
	case *image.RGBA: // an Adobe marker said so
		if p.channels == 3 {
			for y := range p.height {
				for x := range p.width {
					for c := range 3 {
						s.values[(y*p.width+x)*3+c] = uint16(pic.Pix[y*pic.Stride+4*x+c])
					}
				}
			}
			s.rgb = true
			return s, nil
		}
	}
	return nil, fmt.Errorf("JPEG: the stream's components (%T) do not fit %d samples per pixel; the file is damaged, export it again", pic, p.channels)
}

// checkSequential refuses what the transfer syntax does not allow: progressive
// streams, whose scans cost far more time than their bytes.
func checkSequential(raw []byte) error {
	for i := 0; i+9 < len(raw); {
		if raw[i] != 0xFF {
			return fmt.Errorf("no marker where one should be; the file is damaged, export it again")
		}
		switch m := raw[i+1]; {
		case m == 0xFF: // fill byte
			i++
		case m == 0xD8: // start of image
			i += 2
		case m == 0xC0 || m == 0xC1:
			return nil
		case m >= 0xC2 && m <= 0xCF && m != 0xC4 && m != 0xC8 && m != 0xCC:
			return fmt.Errorf("the stream is coded by process SOF%d, not baseline; the transfer syntax is wrong, convert the file with `dcmdjpeg`", m-0xC0)
		default:
			i += 2 + int(raw[i+2])<<8 + int(raw[i+3])
		}
	}
	return fmt.Errorf("no frame header; the file is damaged, export it again")
}

// upsample brings chroma to every pixel. Where it is halved, libjpeg's triangle
// filter is used (3/4 of the nearer sample, 1/4 of the farther), so that colours
// are those that other viewers show; other ratios repeat samples.
func (p *pixelFormat) upsample(s *samples, pic *image.YCbCr) {
	half := pic.SubsampleRatio == image.YCbCrSubsampleRatio422 || pic.SubsampleRatio == image.YCbCrSubsampleRatio420
	for y := range p.height {
		for x, v := range pic.Y[y*pic.YStride:][:p.width] {
			s.values[(y*p.width+x)*3] = uint16(v)
		}
		for c, plane := range [2][]uint8{pic.Cb, pic.Cr} {
			out := s.values[y*p.width*3+1+c:]
			if !half {
				for x := range p.width {
					out[3*x] = uint16(plane[pic.COffset(x, y)])
				}
				continue
			}
			n := (p.width + 1) / 2
			if pic.SubsampleRatio == image.YCbCrSubsampleRatio422 {
				row := plane[y*pic.CStride:][:n]
				triangle(out, p.width, func(i int) int { return 4 * int(row[i]) }, 4, 8)
				continue
			}
			near := y / 2
			far := min(max(near+2*(y%2)-1, 0), (p.height+1)/2-1)
			a, b := plane[near*pic.CStride:][:n], plane[far*pic.CStride:][:n]
			triangle(out, p.width, func(i int) int { return 3*int(a[i]) + int(b[i]) }, 8, 7)
		}
	}
}

// triangle interpolates a row of half as many values, given at 4 times their
// size, to every third element of out. The two roundings are libjpeg's.
func triangle(out []uint16, width int, at func(int) int, roundLeft, roundRight int) {
	last := (width+1)/2 - 1
	for x := range width {
		i := x / 2
		j, round := max(i-1, 0), roundLeft
		if x%2 == 1 {
			j, round = min(i+1, last), roundRight
		}
		out[3*x] = uint16((3*at(i) + at(j) + round) >> 4)
	}
}
