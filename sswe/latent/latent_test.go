package latent

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// clouds draws n points of five features around each centre on the first feature.
func clouds(n int, centres ...float64) (p Points, group, patient []string) {
	rng := rand.New(rand.NewPCG(1, 2))
	for g, c := range centres {
		for i := range n {
			row := make([]float64, 5)
			for j := range row {
				row[j] = rng.NormFloat64()
			}
			row[0] += c
			p, group, patient = append(p, row), append(group, fmt.Sprint("scanner ", g)), append(patient, fmt.Sprint(g, "/", i))
		}
	}
	return p, group, patient
}

func TestScannersThatLookAlikeMixAndOthersDoNot(t *testing.T) {
	for name, c := range map[string]struct{ distance, low, high float64 }{
		"one cloud":             {0, 0.85, 1.15},
		"neighbours":            {2, 0.2, 0.8},
		"islands":               {50, 0, 0.001},
		"islands on a far side": {-50, 0, 0.001},
	} {
		p, group, patient := clouds(60, 0, c.distance)
		got, err := p.Mixing(group, patient, 10)
		if err != nil || got < c.low || got > c.high {
			t.Errorf("%s: mixing %.3f (%v), expected %.2f to %.2f", name, got, err, c.low, c.high)
		}
	}
}

func TestPlanesOfOnePatientDoNotCountAsMixing(t *testing.T) {
	p, group, patient := clouds(30, 0, 50)
	for i := range 30 { // each patient on both scanners, at the same place
		copy(p[30+i], p[i])
		patient[30+i] = patient[i]
	}
	if got, err := p.Mixing(group, patient, 5); err != nil || got < 0.8 {
		t.Errorf("mixing %.3f (%v): scanners that show the same should mix", got, err)
	}
}

func TestTSNEKeepsCloudsApart(t *testing.T) {
	p, group, patient := clouds(30, 0, 20)
	y, err := p.TSNE(context.Background(), 10)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := y.Mixing(group, patient, 5); err != nil || got > 0.02 {
		t.Errorf("mixing in the picture is %.3f (%v), expected none", got, err)
	}
	again, _ := p.TSNE(context.Background(), 10)
	for i := range y {
		if y[i][0] != again[i][0] || y[i][1] != again[i][1] {
			t.Fatalf("point %d moved between two runs on the same data", i)
		}
	}
}

// The entropy of each point's neighbours is the logarithm of the perplexity: its definition.
func TestNeighboursHaveThePerplexityAskedFor(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	squares := make([]float64, 100)
	for i := range squares {
		squares[i] = 1e4 + 50*rng.Float64() // far from everything: the exponentials underflow without care
	}
	entropy := 0.0
	for _, v := range neighbours(squares, 7, math.Log(20)) {
		if v > 0 {
			entropy -= v * math.Log(v)
		}
	}
	if math.Abs(math.Exp(entropy)-20) > 0.01 {
		t.Errorf("perplexity %.3f, expected 20", math.Exp(entropy))
	}
}

func TestFirstComponentIsTheWidestDirection(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var p Points
	for range 200 {
		a, b := 3*rng.NormFloat64(), 0.5*rng.NormFloat64()
		p = append(p, []float64{10 + (a+b)/math.Sqrt2, -4 + (a-b)/math.Sqrt2})
	}
	y, shares, err := p.Components(2)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(shares[0]-9/9.25) > 0.01 || math.Abs(shares[0]+shares[1]-1) > 1e-9 {
		t.Errorf("shares %v, expected %.3f and the rest", shares, 9/9.25)
	}
	for i := range p { // a rotation keeps distances
		if d, want := squaredDistance(y[i], y[0]), squaredDistance(p[i], p[0]); math.Abs(d-want) > 1e-9 {
			t.Fatalf("point %d: squared distance %.6f, expected %.6f", i, d, want)
		}
	}
}

// The probe finds what one feature tells, finds nothing where there is nothing, and is not fooled by a patient's own planes.
func TestProbeFindsWhatIsThere(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	var p Points
	var informed, chance []bool
	var patient []string
	for i := range 120 {
		row := []float64{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64(), float64(i / 3)} // the last feature knows the patient
		p, patient = append(p, row), append(patient, fmt.Sprint(i/3))
		informed, chance = append(informed, row[1]+0.5*rng.NormFloat64() > 0), append(chance, (i/3)%2 == 0)
	}
	for name, c := range map[string]struct {
		label     []bool
		low, high float64
	}{"informed": {informed, 0.85, 1}, "chance": {chance, 0.2, 0.65}} {
		scores, err := p.Probe(c.label, patient, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := area(scores, c.label); got < c.low || got > c.high {
			t.Errorf("%s: area under the curve %.3f, expected %.2f to %.2f", name, got, c.low, c.high)
		}
	}
}

// area is the chance that a point labelled yes scores above one labelled no.
func area(scores []float64, label []bool) float64 {
	above, pairs := 0.0, 0.0
	for i := range scores {
		for j := range scores {
			if label[i] && !label[j] {
				pairs++
				if scores[i] > scores[j] {
					above++
				}
			}
		}
	}
	return above / pairs
}

func TestImpossibleTablesAreRefused(t *testing.T) {
	good, group, patient := clouds(10, 0, 1)
	nan := Points{{1, 2}, {math.NaN(), 1}, {0, 0}}
	for name, err := range map[string]error{
		"not a number":      second(nan.Standardised()),
		"ragged":            second(Points{{1, 2}, {1}, {2, 2}}.Standardised()),
		"all equal":         second(Points{{1}, {1}, {1}}.Standardised()),
		"perplexity":        second(good.TSNE(context.Background(), 30)),
		"too many":          second(good.Mixing(group, patient, 20)),
		"one group":         second(good.Mixing(make([]string, 20), patient, 5)),
		"one kind of label": second(good.Probe(make([]bool, 20), patient, 1)),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := good.TSNE(ctx, 5); err == nil {
		t.Error("a cancelled t-SNE went on")
	}
}

func second[T any](_ T, err error) error { return err }
