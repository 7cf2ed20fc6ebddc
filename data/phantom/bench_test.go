package phantom

import (
	"context"
	"testing"
)

func BenchmarkSection(b *testing.B) {
	p, err := Prostate().Patient(1, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := p.Section(context.Background(), i%3, ReferenceGrid()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "planes/s")
}

func BenchmarkPatient(b *testing.B) {
	r := Prostate()
	for i := 0; b.Loop(); i++ {
		if _, err := r.Patient(1, i); err != nil {
			b.Fatal(err)
		}
	}
}
