package scan

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// Overlay is a stiffness map to be drawn over its B-mode the way scanners do.
type Overlay struct {
	Height, Width int       // px
	BMode         []uint8   // [Height, Width] grey levels
	KPa           []float32 // [Height, Width] Young's modulus; NaN draws nothing
	ScaleMaxKPa   float64   // top of the colour bar
	Opacity       float64   // 0..1
	Lines         []string  // burned in below the picture: what it is and is not
}

// scannerMap is jet-like: knots at 12.5, 37.5, 62.5 and 87.5 % of the scale, as
// shear-wave scanners draw (paper facts section 3).
var scannerMap = []struct {
	at     float64
	colour vec
}{{0, vec{2, 0, 151}}, {0.125, vec{0, 0, 255}}, {0.375, vec{0, 255, 255}}, {0.625, vec{255, 255, 0}}, {0.875, vec{255, 0, 0}}, {1, vec{176, 14, 3}}}

func scannerColour(share float64) vec {
	share = clamp01(share)
	for i := 1; i < len(scannerMap); i++ {
		if a, b := scannerMap[i-1], scannerMap[i]; share <= b.at {
			return mix(a.colour, b.colour, (share-a.at)/(b.at-a.at))
		}
	}
	return scannerMap[len(scannerMap)-1].colour
}

// Draw paints the overlay, the colour bar with its numbers, and the lines. There
// is deliberately no plain twin view: nothing can take the picture for a
// measurement and import it.
func (o Overlay) Draw() (*image.RGBA, error) {
	if o.Height <= 0 || o.Width <= 0 || len(o.BMode) != o.Height*o.Width || len(o.KPa) != o.Height*o.Width || !(o.ScaleMaxKPa > 0) {
		return nil, fmt.Errorf("an overlay of %d x %d px has %d grey levels, %d stiffness values and a scale of %g kPa", o.Width, o.Height, len(o.BMode), len(o.KPa), o.ScaleMaxKPa)
	}
	const margin, barWidth, barMargin = 12, 16, 74
	face := basicfont.Face7x13
	scale := max(1, int(math.Ceil(360/float64(max(o.Width, o.Height))))) // small images are enlarged by whole pixels
	w, h := o.Width*scale, o.Height*scale
	var lines []string
	for _, l := range o.Lines {
		lines = append(lines, broken(l, (w+barMargin)/face.Advance)...)
	}
	im := image.NewRGBA(image.Rect(0, 0, w+2*margin+barMargin, h+2*margin+20+face.Height*len(lines)))
	draw.Draw(im, im.Rect, image.Black, image.Point{}, draw.Src)
	set := func(x, y int, c vec) {
		im.SetRGBA(x, y, color.RGBA{uint8(c[0] + 0.5), uint8(c[1] + 0.5), uint8(c[2] + 0.5), 255})
	}
	ink := func(x, y int, text string, c color.Color) {
		d := font.Drawer{Dst: im, Src: image.NewUniform(c), Face: face, Dot: fixed.P(x, y)}
		d.DrawString(text)
	}
	top := margin + 20
	for y := range h {
		for x := range w {
			i := y/scale*o.Width + x/scale
			c := vec{1, 1, 1}.scale(float64(o.BMode[i]))
			if v := o.KPa[i]; v == v {
				c = mix(c, scannerColour(float64(v)/o.ScaleMaxKPa), o.Opacity)
			}
			set(margin+x, top+y, c)
		}
	}
	barX, barTop, barHeight := margin+w+14, top+10, h-20
	for y := range barHeight {
		for x := range barWidth {
			set(barX+x, barTop+y, scannerColour(1-(float64(y)+0.5)/float64(barHeight)))
		}
	}
	white := color.Gray{220}
	for k := range 6 {
		v := o.ScaleMaxKPa * float64(k) / 5
		ink(barX+barWidth+4, barTop+int((1-float64(k)/5)*float64(barHeight))+4, fmt.Sprintf("%.3g", v), white)
	}
	ink(barX, top-6, "kPa", white)
	ink(margin, top-8, "SYNTHETIC, RESEARCH USE", color.RGBA{255, 220, 0, 255})
	for i, l := range lines {
		ink(margin, top+h+margin+2+(i+1)*face.Height-4, l, color.RGBA{255, 220, 0, 255})
	}
	return im, nil
}

// broken cuts text at spaces into lines of at most n letters.
func broken(text string, n int) []string {
	var out []string
	for len(text) > n {
		cut := n
		for k := n; k > 0; k-- {
			if text[k] == ' ' {
				cut = k
				break
			}
		}
		out, text = append(out, text[:cut]), text[cut:]
		for len(text) > 0 && text[0] == ' ' {
			text = text[1:]
		}
	}
	return append(out, text)
}
