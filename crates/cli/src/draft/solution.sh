kubectl create deployment web --image=nginx
kubectl rollout status deployment/web
