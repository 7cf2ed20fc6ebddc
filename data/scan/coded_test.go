package scan

import (
	"fmt"
	"testing"

	"elastography/data/scan/example"
)

// The colours of a bar come back from a JPEG's coefficients within a few levels,
// also where a block has smeared its end, and no primary leaves its range.
func TestTheBarOfAJPEGKeepsItsColours(t *testing.T) {
	for quality, owed := range map[int]float64{95: 4, 85: 6, 75: 10} {
		for name, colours := range map[string][]example.Colour{"jet": example.Jet(), "warm jet": example.WarmJet()} {
			t.Run(fmt.Sprintf("%s, quality %d", name, quality), func(t *testing.T) {
				m := made{name: "bar", opacity: 0.5, limitKPa: 150, colours: colours, pxPerCM: 64}
				im, _ := m.draw(t)
				s := newSight(through(t, im, quality))
				if !s.steps() {
					t.Fatal("a JPEG without its steps")
				}
				bars := s.findBars()
				if len(bars) == 0 {
					t.Fatal("no bar found")
				}
				var off []float64
				curve := bars[0].curve
				for k, c := range curve {
					d := c.sub(vec(example.At(colours, float64(k)/float64(len(curve)-1)))).norm()
					off = append(off, d)
					for _, v := range c {
						if v < 0 || v > 255 {
							t.Fatalf("colour %d is %v", k, c)
						}
					}
				}
				// at the very ends the bar is extended
				off = off[3 : len(off)-3]
				if most, middle := quantile(off, 1), median(off); most > owed || middle > 2 {
					t.Errorf("colours are up to %.1f levels off, half of them within %.1f", most, middle)
				} else {
					t.Logf("colours are up to %.1f levels off, half of them within %.1f", most, middle)
				}
			})
		}
	}
}
