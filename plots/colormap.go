package plots

import (
	"fmt"
	"image/color"
	"slices"
	"strings"

	"github.com/mazznoer/colorgrad"
)

// colormap turns a position from 0 to 1 into a colour.
type colormap struct {
	name     string
	gradient colorgrad.Gradient
}

// at returns the colour of v on the scale lo to hi; values beyond it take the colour of the nearer end.
func (m colormap) at(v, lo, hi float64) color.NRGBA {
	t := min(1, max(0, (v-lo)/(hi-lo)))
	r, g, b, _ := m.gradient.At(t).RGBA255()
	return color.NRGBA{r, g, b, 0xFF}
}

// The perceptually uniform maps come from colorgrad. "jet" follows the colour bar of a common shear-wave scanner, with its knots at 12.5, 37.5, 62.5 and 87.5 %
// (facts of the paper, section 3); it is for comparison with a scanner's screen: its lightness is not monotone.
var colormaps = map[string]func() (colorgrad.Gradient, error){
	"viridis":   preset(colorgrad.Viridis),
	"magma":     preset(colorgrad.Magma),
	"inferno":   preset(colorgrad.Inferno),
	"cividis":   preset(colorgrad.Cividis),
	"gray":      knots([]string{"#000000", "#ffffff"}, 0, 1),
	"jet":       knots([]string{"#020097", "#0000ff", "#00ffff", "#ffff00", "#ff0000", "#b00e03"}, 0, 0.125, 0.375, 0.625, 0.875, 1),
	"diverging": knots([]string{"#0b3c6f", "#2f7ab7", "#8fc0de", "#f4f4f4", "#f0a582", "#c9433d", "#720a1f"}, 0, 0.18, 0.34, 0.5, 0.66, 0.82, 1),
}

func preset(build func() colorgrad.Gradient) func() (colorgrad.Gradient, error) {
	return func() (colorgrad.Gradient, error) { return build(), nil }
}

func knots(colors []string, at ...float64) func() (colorgrad.Gradient, error) {
	return func() (colorgrad.Gradient, error) {
		return colorgrad.NewGradient().HtmlColors(colors...).Domain(at...).Build()
	}
}

// colormapNamed returns a colour map by name; the empty name is viridis.
func colormapNamed(name string) (colormap, error) {
	if name == "" {
		name = "viridis"
	}
	build, ok := colormaps[name]
	if !ok {
		var known []string
		for k := range colormaps {
			known = append(known, k)
		}
		slices.Sort(known)
		return colormap{}, fmt.Errorf("unknown colour map %q; choose one of %s", name, strings.Join(known, ", "))
	}
	gradient, err := build()
	if err != nil {
		return colormap{}, fmt.Errorf("building colour map %q: %w", name, err)
	}
	return colormap{name, gradient}, nil
}
