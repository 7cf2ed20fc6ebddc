package scan

import (
	"fmt"
	"image"
	"math/rand/v2"
	"testing"

	"elastography/data/scan/example"
)

// speckled is a plane of 45 mm whose box begins at the skin and holds a stiffness down to a share of its height.
func speckled(share float64) example.Tissue {
	const height, width = 255, 384
	t := example.Tissue{Height: height, Width: width, MMPerPx: 0.1747, Grey: make([]float64, height*width), KPa: make([]float64, height*width),
		Shown: make([]bool, height*width), Box: image.Rect(70, 0, 346, 222)}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range t.Grey {
		x, y := i%width, i/width
		t.Grey[i], t.KPa[i] = 60+90*rng.Float64(), 20+30*float64(x)/width
		t.Shown[i] = image.Pt(x, y).In(t.Box.Inset(1)) && float64(y) < share*float64(t.Box.Dy())
	}
	return t
}

// Far down a box is often empty. Its outline in the plain view tells how far it goes, though the other view's outline is as near.
func TestABoxFarLargerThanItsColourIsFoundWhole(t *testing.T) {
	for _, sideways := range []bool{false, true} {
		for share := 0.7; share < 1.01; share += 0.05 {
			t.Run(fmt.Sprintf("sideways %v, colour in %.0f %%", sideways, 100*share), func(t *testing.T) {
				tissue := speckled(share)
				screen, err := example.Device{Sideways: sideways, Opacity: 0.5, ScaleMaxKPa: 90, Map: example.Jet(), Text: "A NAME"}.Draw(tissue)
				if err != nil {
					t.Fatal(err)
				}
				s, err := Analyse(screen.Image, Options{})
				if err != nil {
					t.Fatal(err)
				}
				want := tissue.Box.Add(screen.Overlay)
				if got := s.Layout.OverlayBox.Where; abs(got.Min.Y-want.Min.Y) > 1 || abs(got.Max.Y-want.Max.Y) > 1 {
					t.Errorf("the box is found at %v, it is at %v", got, want)
				}
			})
		}
	}
}
