rootProject.name = "shop-client"
