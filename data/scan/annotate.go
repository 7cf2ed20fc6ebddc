package scan

import (
	"image"
	"image/color"
	"image/draw"
	"slices"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// Annotated is the screen with everything that was found drawn in and named:
// what the importer saw.
func (s *Screen) Annotated() image.Image { return annotate(s.seen.im, s.Layout) }

func annotate(im *image.RGBA, l Layout) image.Image {
	out := image.NewRGBA(im.Rect)
	draw.Draw(out, out.Rect, im, image.Point{}, draw.Src)
	colours := map[string]color.RGBA{
		"overlay view": {0, 200, 255, 255}, "plain view": {0, 255, 120, 255},
		"overlay box": {255, 0, 255, 255}, "plain box": {255, 0, 255, 255},
		"colour bar": {255, 255, 255, 255}, "grey bar": {160, 160, 160, 255},
		"scale": {255, 220, 0, 255}, "depth ticks": {255, 220, 0, 255},
	}
	var written []image.Rectangle
	for _, f := range l.Findings() {
		c, ok := colours[f.Name]
		if !ok || f.Where.Empty() {
			continue
		}
		frame(out, f.Where.Inset(-1), c)
		name := f.Name
		if f.Value != "" {
			name += ": " + f.Value
		}
		written = append(written, write(out, f.Where, name, c, written))
	}
	return out
}

// frame draws a rectangle's outermost pixel ring.
func frame(im *image.RGBA, r image.Rectangle, c color.RGBA) {
	for x := r.Min.X; x < r.Max.X; x++ {
		im.SetRGBA(x, r.Min.Y, c)
		im.SetRGBA(x, r.Max.Y-1, c)
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		im.SetRGBA(r.Min.X, y, c)
		im.SetRGBA(r.Max.X-1, y, c)
	}
}

// write puts a name below a rectangle, on a dark ground, inside the picture and
// clear of the names already written. It returns the place taken.
func write(im *image.RGBA, at image.Rectangle, text string, c color.RGBA, taken []image.Rectangle) image.Rectangle {
	const high = 14
	width := font.MeasureString(basicfont.Face7x13, text).Ceil()
	x := max(0, min(at.Min.X, im.Rect.Max.X-width))
	y := max(0, min(at.Max.Y+2, im.Rect.Max.Y-high))
	place := image.Rect(x, y, x+width, y+high)
	for range taken {
		if !slices.ContainsFunc(taken, place.Overlaps) || place.Max.Y+high > im.Rect.Max.Y {
			break
		}
		place = place.Add(image.Pt(0, high))
	}
	draw.Draw(im, place, image.NewUniform(color.RGBA{0, 0, 0, 255}), image.Point{}, draw.Src)
	d := font.Drawer{Dst: im, Src: image.NewUniform(c), Face: basicfont.Face7x13, Dot: fixed.P(place.Min.X, place.Min.Y+11)}
	d.DrawString(text)
	return place
}
