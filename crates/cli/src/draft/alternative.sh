# Another way that must be accepted too; delete this file if there is none.
kubectl create deployment web --image=nginx --dry-run=client -o yaml | kubectl apply -f -
kubectl rollout status deployment/web
