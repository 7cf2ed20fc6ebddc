package scan

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // registers the decoder for exported screens
	_ "image/png"  // registers the decoder for exported screens
	"io"
	"os"

	"golang.org/x/image/tiff"

	"elastography/data/jpegdct"
)

// DefaultMaxPixels bounds how large a picture is decoded when the caller sets
// no limit: three 4K screens. A header may promise any size; the limit is
// checked before a byte of pixel data is read.
const DefaultMaxPixels = 24 << 20

// ReadScreen opens one exported screen (PNG, JPEG or TIFF) and analyses it.
// A picture that cannot be trusted comes back as a *RefusedError; a file that
// cannot be read or decoded as an ordinary wrapped error.
func ReadScreen(path string, opt Options) (*Screen, error) {
	img, err := decodeFile(path, opt.MaxPixels)
	if err != nil {
		return nil, err
	}
	s, err := Analyse(img, opt)
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		refused.Path = path
		return nil, refused
	}
	if err != nil {
		return nil, fmt.Errorf("analysing %s: %w", path, err)
	}
	return s, nil
}

// ReadPicture opens a picture (PNG, JPEG or TIFF) and looks for nothing on it.
// maxPixels 0 means DefaultMaxPixels.
func ReadPicture(path string, maxPixels int) (image.Image, error) { return decodeFile(path, maxPixels) }

// Gray is a picture's 8-bit grey levels [h, w] (luma of a coloured one).
func Gray(img image.Image) (pix []uint8, h, w int) {
	rgba := toRGBA(img)
	return lumaOf(rgba), rgba.Rect.Dy(), rgba.Rect.Dx()
}

// Coloured is the share of a part of a picture that is coloured, beyond the tint
// of its greys: a B-mode image has next to none, a screen has an overlay, menus
// and logos.
func Coloured(img image.Image, part image.Rectangle) float64 {
	s := newSight(img)
	part = part.Intersect(s.bounds())
	n := 0
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if s.chroma[y*s.w+x] >= overlayChroma {
				n++
			}
		}
	}
	return float64(n) / float64(max(1, part.Dx()*part.Dy()))
}

func decodeFile(path string, maxPixels int) (image.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening a screen: %w", err)
	}
	defer f.Close()
	return decode(path, f, maxPixels)
}

// source is what a file and a slice of bytes both are.
type source interface {
	io.ReadSeeker
	io.ReaderAt
}

// isTIFF tells TIFF from the other formats. Package image hands every decoder a
// plain reader, and the one for TIFF then allocates as much as the file's
// offsets claim; given the source itself it reads in place.
func isTIFF(r source) bool {
	var magic [4]byte
	n, _ := r.ReadAt(magic[:], 0) // a shorter file is no TIFF
	return n == 4 && (string(magic[:]) == "II*\x00" || string(magic[:]) == "MM\x00*")
}

// decode reads a picture, its size first. name is for messages.
func decode(name string, r source, maxPixels int) (img image.Image, err error) {
	if maxPixels <= 0 {
		maxPixels = DefaultMaxPixels
	}
	// A decoder of hostile input is somebody else's code: its panic is this
	// file's error, not the end of an import of a thousand files.
	defer func() {
		if p := recover(); p != nil {
			img, err = nil, fmt.Errorf("decoding %s: the decoder failed (%v); export the screen again", name, p)
		}
	}()

	inPlace := isTIFF(r)
	var cfg image.Config
	format := "tiff"
	if n, err := r.Seek(0, io.SeekEnd); err == nil && n == 0 {
		return nil, fmt.Errorf("reading %s: the file is empty; export it again", name)
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("rewinding %s: %w", name, err)
	}
	if inPlace {
		cfg, err = tiff.DecodeConfig(r)
	} else {
		cfg, format, err = image.DecodeConfig(bufio.NewReader(r))
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s as PNG, JPEG or TIFF: %w; export the screen again as PNG", name, err)
	}
	if cfg.Width <= 0 || cfg.Height <= 0 || cfg.Width > maxPixels/cfg.Height {
		return nil, &RefusedError{
			Path:   name,
			Reason: fmt.Sprintf("the %s header declares %d x %d pixels, more than the limit of %d", format, cfg.Width, cfg.Height, maxPixels),
			Remedy: "export the screen at its own size, or raise the limit (Options.MaxPixels)",
		}
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("rewinding %s: %w", name, err)
	}
	switch format {
	case "tiff":
		img, err = tiff.Decode(r)
	case "jpeg":
		most := int64(8*cfg.Width*cfg.Height) + 64<<20 // far above what pixels and other segments take
		var b []byte
		if b, err = io.ReadAll(io.LimitReader(r, most)); err == nil {
			img, err = jpegdct.Decode(b)
		}
	default:
		img, _, err = image.Decode(bufio.NewReader(r))
	}
	if err != nil {
		return nil, fmt.Errorf("decoding %s (%s): %w; the file looks damaged, export it again", name, format, err)
	}
	return img, nil
}
