package plots

import (
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Column widths of a journal page, in mm.
const (
	singleColumnMM = 88.0
	doubleColumnMM = 180.0
)

// pngDPI is the resolution of the PNG files: what journals ask of halftones, and enough for a slide.
const pngDPI = 300

// Style holds what all figures share.
type Style struct {
	// Simulated stamps "simulated data" into the figure and its alt text.
	Simulated bool
	// Map names the colour map of elasticity: "viridis" (also when empty), "magma", "inferno", "cividis", or "jet" for the look of a scanner's screen.
	Map string
	// ScaleMaxKPa is the upper end of the elasticity scale; 0 takes it from the data.
	ScaleMaxKPa float64
}

func (st Style) validate() error {
	if _, err := colormapNamed(st.Map); err != nil {
		return fmt.Errorf("style.Map: %w", err)
	}
	if !(st.ScaleMaxKPa >= 0) || !finite(st.ScaleMaxKPa) {
		return fmt.Errorf("style.ScaleMaxKPa: %v kPa is no scale; give a positive limit, or 0 to take it from the data", st.ScaleMaxKPa)
	}
	return nil
}

// Figure is a figure laid out at its final size, to be drawn in any of the formats.
type Figure struct {
	name              string
	widthMM, heightMM float64
	alt               string
	draw              func(page)
}

// newFigure makes a figure of the given size and reserves the room of the stamp above it: paint sees a page of heightMM, and the
// finished figure is a little taller where the data are simulated.
func newFigure(name string, widthMM, heightMM float64, st Style, alt string, paint func(page)) *Figure {
	f := &Figure{name: name, widthMM: widthMM, heightMM: heightMM, alt: alt, draw: paint}
	if st.Simulated {
		f.heightMM += stampHeightMM
		f.alt = "Simulated data. " + alt
		f.draw = func(p page) {
			p.stamp("simulated data")
			p.topMM += stampHeightMM
			paint(p)
		}
	}
	return f
}

// Alt describes in words what there is to see, with the main numbers, for readers who cannot see the figure.
func (f *Figure) Alt() string { return f.alt }

// SizeMM returns the width and height of the figure on paper, in mm.
func (f *Figure) SizeMM() (width, height float64) { return f.widthMM, f.heightMM }

// PNG returns the figure as a PNG of 300 dpi, white behind, its resolution noted in the file.
func (f *Figure) PNG() ([]byte, error) { return f.png(pngDPI) }

// ScreenPNG returns the figure as a PNG for a page or a notebook: a quarter of PNG's pixels, sharp on a screen, light in
// a file that holds a dozen.
func (f *Figure) ScreenPNG() ([]byte, error) { return f.png(pngDPI / 2) }

// ScreenImage returns the picture that ScreenPNG encodes, for those who encode it in a way of their own.
func (f *Figure) ScreenImage() (picture image.Image, err error) {
	_, err = f.encode("a picture", func() ([]byte, error) {
		c := newRasterCanvas(f.size(), pngDPI/2)
		f.paint(c)
		picture = c.Canvas.Image()
		return nil, nil
	})
	return picture, err
}

func (f *Figure) png(dpi int) (data []byte, err error) {
	return f.encode("PNG", func() ([]byte, error) {
		c := newRasterCanvas(f.size(), dpi)
		f.paint(c)
		return c.encode()
	})
}

// SVG returns the figure as an SVG, with the alt text as its description.
func (f *Figure) SVG() ([]byte, error) {
	return f.encode("SVG", func() ([]byte, error) {
		c := newSVGCanvas(f.size())
		f.paint(c)
		return c.encode(f.name, f.alt)
	})
}

// PDF returns the figure as a one-page PDF with its fonts embedded.
func (f *Figure) PDF() ([]byte, error) {
	return f.encode("PDF", func() ([]byte, error) {
		c := newPDFCanvas(f.size())
		f.paint(c)
		return c.encode()
	})
}

// Save writes base.png, base.svg and base.pdf, each whole or not at all, and returns the paths. The folder is made if there is none.
func (f *Figure) Save(base string) ([]string, error) {
	if err := os.MkdirAll(filepath.Dir(base), 0o755); err != nil {
		return nil, fmt.Errorf("plots: %s: making the folder of %s: %w", f.name, base, err)
	}
	formats := []struct {
		extension string
		encode    func() ([]byte, error)
	}{{".png", f.PNG}, {".svg", f.SVG}, {".pdf", f.PDF}}
	var paths []string
	for _, format := range formats {
		data, err := format.encode()
		if err != nil {
			return paths, err
		}
		path := base + format.extension
		if err := writeAtomically(path, data); err != nil {
			return paths, fmt.Errorf("plots: %s: writing %s: %w", f.name, path, err)
		}
		paths = append(paths, path)
	}
	return paths, nil
}

func (f *Figure) size() vg.Point {
	return vg.Point{X: mm(f.widthMM), Y: mm(f.heightMM)}
}

func (f *Figure) paint(c vg.Canvas) {
	f.draw(page{Canvas: draw.NewCanvas(c, mm(f.widthMM), mm(f.heightMM))})
}

// encode turns a panic of the drawing library (it has no other way to report, say, a full disk while it prepares a font) into an error.
func (f *Figure) encode(format string, run func() ([]byte, error)) (data []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			data, err = nil, fmt.Errorf("plots: %s: drawing as %s: %v", f.name, format, r)
		}
	}()
	data, err = run()
	if err != nil {
		return nil, fmt.Errorf("plots: %s: drawing as %s: %w", f.name, format, err)
	}
	return data, nil
}

// writeAtomically writes beside the target and renames, so that a reader or a crash never meets half a file.
func writeAtomically(path string, data []byte) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Chmod(0o644)
	}
	if err == nil {
		err = temp.Sync()
	}
	if closeErr := temp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
