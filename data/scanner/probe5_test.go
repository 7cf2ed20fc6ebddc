package scanner
import ("fmt";"math";"testing")
func width(x,y []float64,lev float64) float64{
 k:=0; for i:=range y{if y[i]>y[k]{k=i}}; p:=y[k]*lev
 l:=k; for l>0&&y[l]>p{l--}; r:=k; for r<len(y)-1&&y[r]>p{r++}
 xl:=x[l]+(p-y[l])/(y[l+1]-y[l])*(x[l+1]-x[l]); xr:=x[r-1]+(p-y[r-1])/(y[r]-y[r-1])*(x[r]-x[r-1])
 return xr-xl
}
func TestProbePSF(t *testing.T){
 s:=EndFire(); a:=newArray(s,6.5)
 g:=s.newPolarGrid(homog(1),s.PlainExam(1)); g.stepMM=0.02;g.stepRad=0.1*math.Pi/180
 fmt.Println(a.band(0,1))
 for _,d:=range []float64{10,15,20,25,30,40}{
  z:=a.psf(g,d,0,0,1)
  var x,lat,xa,ax []float64
  for j:=-z.half;j<=z.half;j++{ jj:=j; if j<0{jj=-j}; m:=0.0; for t:=0;t<z.taps;t++{m=max(m,math.Hypot(float64(z.re[jj*z.taps+t]),float64(z.im[jj*z.taps+t])))}; x=append(x,float64(j)*g.stepRad*(10+d));lat=append(lat,m)}
  for t:=0;t<z.taps;t++{xa=append(xa,float64(t)*g.stepMM);ax=append(ax,math.Hypot(float64(z.re[t]),float64(z.im[t])))}
  fmt.Printf("%.0f: lat6 %.3f lat20 %.3f ax6 %.3f gain %.3g\n",d,width(x,lat,.5),width(x,lat,.1),width(xa,ax,.5),z.gain)
 }
}
